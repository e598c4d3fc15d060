"""What Python tries. `tries` is put in front: it says whether something worked."""

from __future__ import annotations

from dataclasses import replace

from .attacks import table

TRIES = """\
import os, sys, socket, time, ctypes
def tries(act):
    try:
        found = act()
    except BaseException:
        return 'refused'
    return f'GOT OUT: {found!r:.100}'
"""

PYTHON = '''
== control: value | =42
return answer
== control: writes and reads its folder | =kept
open('a.txt', 'w').write('kept')
import shutil
shutil.copy('a.txt', 'b.txt')
return open('b.txt').read()
== control: a subprocess and threads | =two 1
import subprocess, threading
found = []
thread = threading.Thread(target=found.append, args=(1,))
thread.start()
thread.join()
return subprocess.run(['/bin/echo', 'two'], capture_output=True, text=True).stdout.strip() + f' {found[0]}'
== control: its own error | ZeroDivisionError: division by zero (line 8 of the code)
1 / 0
== control: the standard library | =ok
import sqlite3, csv, zipfile, decimal, urllib.request, asyncio, multiprocessing, tempfile
with tempfile.TemporaryFile() as file:
    file.write(b'x')
asyncio.run(asyncio.sleep(0))
sqlite3.connect('a.db').execute('create table a (b)')
return 'ok'
== reads a secret
return tries(lambda: open(secret_file).read())
== reads a secret through a link
os.symlink(secret_file, 'link')
return tries(lambda: open('link').read())
== reads a secret by a hard link
return tries(lambda: (os.link(secret_file, 'hard'), open('hard').read()))
== reads a secret through /proc/self/root
return tries(lambda: open('/proc/self/root' + secret_file).read())
== reads a secret through the folder's parents
return tries(lambda: open('../' * 30 + secret_file.lstrip('/')).read())
== reads a secret by its descriptor of a folder
return tries(lambda: os.open(secret_file, os.O_RDONLY, dir_fd=os.open('/', os.O_PATH)))
== reads a secret that a handle names
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(136)
handle[0] = 128
mount = ctypes.c_int()
return tries(lambda: 1 / (libc.name_to_handle_at(-100, secret_file.encode(), handle, ctypes.byref(mount), 0) == 0))
== reads the home of the user
return [tries(lambda: os.listdir(each)) for each in (home, os.path.join(home, '.ssh'))]
== reads keys of the machine
return [tries(lambda: open(each).read()) for each in ('/etc/shadow', '/etc/passwd', '/root/.bashrc')]
== reads environments of processes
import glob
return [tries(lambda: CANARY in open(each).read() or 1 / 0) for each in glob.glob('/proc/[0-9]*/environ') for CANARY in [canary_name]]
== reads the environment of the server
return tries(lambda: open(f'/proc/{server}/environ').read())
== reads the memory of the server
return tries(lambda: open(f'/proc/{server}/mem', 'rb').read(1))
== reads the command lines of others
import glob
return tries(lambda: [each for each in glob.glob('/proc/[0-9]*/cmdline') if b'pytest' in open(each, 'rb').read()] or 1 / 0)
== walks the descriptors of others
import glob
own = {str(os.getpid()), 'self', 'thread-self'}
return tries(lambda: [os.readlink(each) for each in glob.glob(f'/proc/{server}/fd/*')] or 1 / 0)
== finds its own environment empty | =True
return canary_name not in os.environ and not [each for each in os.environ if 'KEY' in each or 'TOKEN' in each]
== finds descriptors of the server
found = []
for fd in range(3, 256):
    try:
        found.append(os.readlink(f'/proc/self/fd/{fd}'))
    except OSError:
        pass
return [each for each in found if each.startswith('/') and '/proc' not in each] and 'GOT OUT'
== sees files of others | | | landlock
return tries(lambda: os.stat(secret_file).st_size)
== writes into the workspace
return tries(lambda: open(os.path.join(workspace, 'new'), 'w').write('x'))
== changes a file of the workspace
return tries(lambda: open(canary_file, 'a').write('x'))
== cuts off a file of the workspace
return [tries(lambda: os.truncate(canary_file, 0)), tries(lambda: os.open(canary_file, os.O_RDONLY | os.O_TRUNC))]
== removes a file of the workspace
return [tries(lambda: os.unlink(canary_file)), tries(lambda: os.rename(canary_file, 'mine'))]
== changes modes, times and owners
tries(lambda: os.chmod(canary_file, 0o777))
tries(lambda: os.utime(canary_file, (1, 1)))
tries(lambda: os.chown(canary_file, 12345, 12345))
tries(lambda: os.setxattr(canary_file, 'user.x', b'1'))
tries(lambda: os.chmod(os.open(canary_file, os.O_RDONLY), 0o777))
== makes folders and devices outside
return [tries(lambda: os.mkdir(workspace + '/dir')), tries(lambda: os.mknod(workspace + '/device', 0o60600, 0))]
== leaves something for the next job
left = []
for place in ('/tmp', '/var/tmp', '/dev/shm', '/run', home):
    try:
        open(f'{place}/dipeo-left-behind', 'w').write('x')
    except OSError:
        pass
== writes into packages of the environment
import sysconfig
return [tries(lambda: open(os.path.join(each, 'left_behind.pth'), 'w')) for each in {*sysconfig.get_paths().values()}]
== writes into the interpreter's own folder
return [tries(lambda: open(sys.executable, 'r+b')), tries(lambda: open(os.__file__, 'a'))]
== opens devices of the machine
return [tries(lambda: open(each, 'rb').read(1)) for each in ('/dev/vda', '/dev/sda', '/dev/mem', '/dev/kmsg', '/dev/fuse')]
== opens the terminal
return tries(lambda: open('/dev/tty', 'w').write('x'))
== swaps its folder for a link
home_folder = os.getcwd()
os.chdir('/')
return [tries(lambda: os.rmdir(home_folder)), tries(lambda: os.symlink(workspace, home_folder + '2'))]
== leaves a maze of folders
for _ in range(400):
    os.mkdir('d')
    os.chdir('d')
== leaves pipes, sockets and closed folders
os.mkfifo('pipe')
os.makedirs('a/b')
os.chmod('a/b', 0)
os.chmod('a', 0)
== connects to loopback
return tries(lambda: socket.create_connection(('127.0.0.1', port), 1).send(b'x'))
== connects to loopback by IPv6
return tries(lambda: socket.create_connection(('::1', port), 1))
== connects to the metadata of a cloud
return tries(lambda: socket.create_connection(('169.254.169.254', 80), 1))
== sends a datagram
return tries(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', udp_port)))
== connects to a Unix socket in a folder
def connect():
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(unix_socket)
return tries(connect)
== connects to an abstract Unix socket
def connect():
    with socket.socket(socket.AF_UNIX) as client:
        client.connect('\\0' + abstract_socket)
return tries(connect)
== listens for others
def listen():
    with socket.create_server(('0.0.0.0', 0)) as server_socket:
        return server_socket.getsockname()
return tries(listen)
== makes odd sockets
families = [16, 17, 38, 40, 29, 21, 44]
return [tries(lambda: socket.socket(each, kind)) for each in families for kind in (1, 2, 3)]
== makes raw sockets
return tries(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
== kills the server
return tries(lambda: os.kill(server, 0)) if server > 20 else 'refused'
== kills a process of the user
try:
    os.kill(victim, 9)
except OSError:
    pass
== kills everybody
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
try:
    os.kill(-1, 15)
except OSError:
    pass
return 'alive'
== stops a process of the user
try:
    os.kill(victim, 19)
except OSError:
    pass
== signals through a descriptor of a process
return tries(lambda: __import__('signal').pidfd_send_signal(os.pidfd_open(victim), 9)) if victim > 20 else 'refused'
== takes a process apart
libc = ctypes.CDLL(None, use_errno=True)
return tries(lambda: 1 / (libc.ptrace(16, victim, 0, 0) == 0))
== reads memory of a process
libc = ctypes.CDLL(None, use_errno=True)
return tries(lambda: 1 / (libc.syscall(310, os.getppid(), 0, 0, 0, 0, 0) >= 0))
== takes a descriptor out of a process
libc = ctypes.CDLL(None, use_errno=True)
return tries(lambda: 1 / (libc.syscall(438, os.pidfd_open(os.getppid()), 1, 0) >= 0))
== lowers the limits of a process
import resource
return tries(lambda: resource.prlimit(victim, resource.RLIMIT_NOFILE, (1, 1))) if victim > 20 else 'refused'
== raises its own limits
import resource
return tries(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4000, 4000)))
== changes priorities of others
return tries(lambda: os.setpriority(os.PRIO_PROCESS, victim, 19)) if victim > 20 else 'refused'
== ties a process to one processor
return tries(lambda: os.sched_setaffinity(victim, {0})) if victim > 20 else 'refused'
== makes a namespace
libc = ctypes.CDLL(None, use_errno=True)
return [tries(lambda: 1 / (libc.unshare(flag) == 0)) for flag in (0x10000000, 0x20000, 0x40000000)]
== makes a namespace by clone
libc = ctypes.CDLL(None, use_errno=True)
return tries(lambda: 1 / (libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) >= 0))
== mounts
libc = ctypes.CDLL(None, use_errno=True)
os.mkdir('m')
return tries(lambda: 1 / (libc.mount(b'none', b'm', b'tmpfs', 0, None) == 0))
== changes its root
return tries(lambda: os.chroot('.'))
== makes risky system calls
libc = ctypes.CDLL(None, use_errno=True)
risky = {'bpf': 321, 'perf_event_open': 298, 'userfaultfd': 323, 'io_uring_setup': 425, 'keyctl': 250,
    'add_key': 248, 'kexec_load': 246, 'init_module': 175, 'syslog': 103, 'fsopen': 430, 'setns': 308,
    'open_by_handle_at': 304, 'swapon': 167, 'reboot': 169, 'personality': 135, 'memfd_secret': 447}
return {name: tries(lambda: 1 / (libc.syscall(number, 0, 0, 0, 0, 0) >= 0)) for name, number in risky.items()}
== calls the kernel by its old numbers
libc = ctypes.CDLL(None, use_errno=True)
return tries(lambda: 1 / (libc.syscall(0x40000000 + 39) >= 0))
== takes privileges
return [tries(lambda: os.setuid(0) or os.getuid() and 1 / 0) and tries(lambda: open('/etc/shadow').read()), tries(lambda: os.setgroups([0]))]
== keeps memory in files of memory
found = []
def fill():
    for number in range(40):
        fd = os.memfd_create(str(number))
        found.append(fd)
        os.write(fd, bytes(10_000_000))
return tries(fill)
== keeps memory in shared segments
libc = ctypes.CDLL(None, use_errno=True)
return tries(lambda: 1 / (libc.shmget(0, 50_000_000, 0o1600) >= 0))
== changes the clock or the name of the machine
return [tries(lambda: time.clock_settime(time.CLOCK_REALTIME, 1.0)), tries(lambda: socket.sethostname('mine'))]
== loops | longer than 0.5 s | 0.5
while True:
    pass
== sleeps | longer than 0.5 s | 0.5
time.sleep(100)
== ignores all signals and errors | longer than 0.5 s | 0.5
import signal
for number in (1, 2, 3, 13, 14, 15, 24):
    signal.signal(number, signal.SIG_IGN)
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
== matches for ever | longer than 0.5 s | 0.5
import re
re.match('(a+)+$', 'a' * 60 + 'b')
== computes for ever | longer than 0.5 s | 0.5
9 ** 9 ** 9
== stops itself | longer than 0.5 s | 0.5
os.kill(os.getpid(), 19)
time.sleep(100)
== takes all memory | MemoryError
x = [bytearray(10_000_000) for _ in range(1000)]
== takes all memory in many processes | was stopped
for _ in range(12):
    if os.fork() == 0:
        x = bytearray(100_000_000)
        for place in range(0, len(x), 4096):
            x[place] = 1
        time.sleep(100)
time.sleep(100)
== makes processes without end
import itertools
for _ in itertools.count():
    try:
        if os.fork() == 0:
            time.sleep(100)
    except OSError:
        pass
== makes threads without end
import threading
while True:
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
== fills its folder with one file | OSError
with open('big', 'wb') as file:
    while True:
        file.write(bytes(1_000_000))
== fills its folder with many files
for number in range(60):
    with open(str(number), 'wb') as file:
        file.write(bytes(1_000_000))
time.sleep(100)
== fills its folder with empty files | | 3
for number in range(30_000):
    open(str(number), 'w').close()
== fills shared memory
for number in range(100):
    open(f'/dev/shm/{number}', 'wb').write(bytes(1_000_000))
return 'GOT OUT'
== says much | =much
for _ in range(30):
    os.write(1, b'x' * 999_999 + b'\\n')
    os.write(2, bytes(999_999))
== leaves a daemon
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv('/bin/sh', [marker, '-c', 'sleep 60; :'])
    os._exit(0)
time.sleep(0.1)
== leaves a child that holds its output | =done
if os.fork() == 0:
    time.sleep(60)
return 'done'
== flees from child to child
flee = """
import os
while True:
    try:
        if os.fork():
            os._exit(0)
        os.setsid()
    except OSError:
        pass
"""
for _ in range(4):
    if os.fork() == 0:
        os.execve(sys.executable, [marker, '-S', '-c', flee], {'PYTHONHOME': sys.base_prefix})
time.sleep(0.5)
return 'left'
== flees behind a parent that buries at once
flee = """
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(4):
    if os.fork() == 0:
        while True:
            if libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0) > 0:
                os._exit(0)
while True:
    time.sleep(100)
"""
for _ in range(2):
    if os.fork() == 0:
        os.execve(sys.executable, [marker, '-S', '-c', flee], {'PYTHONHOME': sys.base_prefix})
time.sleep(0.5)
return 'left'
== never ends after its result | longer than 1 s | 1
import atexit, threading
threading.Thread(target=time.sleep, args=(100,)).start()
return 'done'
== says a result that is too large | result is too large
return 'x' * 20_000_000
== says an object | which is not JSON
class Evil:
    def __reduce__(self):
        return os.system, ('touch ' + workspace + '/pickled',)
return Evil()
== says what is nested too deeply | nested too deeply
x = []
for _ in range(100_000):
    x = [x]
return x
== says odd numbers and text | =[None, None
return [float('nan'), None, chr(0xd800), chr(0), 10 ** 400]
== says a pickle in its report | could not be read
import pickle
for fd in range(3, 4096):
    try:
        os.write(fd, pickle.dumps(os.system))
    except OSError:
        pass
os._exit(0)
== forges an early report | =true
for fd in range(3, 4096):
    try:
        os.write(fd, b'{"value": "GOT OUT"}\\n')
    except OSError:
        pass
return 'true'
== exits without a result | ended its own process
os._exit(0)
== crashes | ended by SIGSEGV
ctypes.string_at(0)
== lies about its kind | =lie
class Text(str):
    def __str__(self):
        while True:
            pass
return Text('lie')
== has keys that hang | longer than 0.5 s | 0.5
class Lazy(dict):
    def items(self):
        while True:
            pass
return Lazy(a=1)
== climbs frames to the server
frame = sys._getframe()
names = set()
while frame:
    names |= set(frame.f_globals)
    frame = frame.f_back
return [each for each in names if canary_name in each] and 'GOT OUT'
== looks at all objects for a secret
import gc
return [1 for each in gc.get_objects() if isinstance(each, dict) and any(canary_value == value for value in each.values() if isinstance(value, str)) and each is not inputs and 'canary_value' not in each] and 'GOT OUT'
== reads by way of subclasses
import builtins
wrap = [each for each in ().__class__.__base__.__subclasses__() if each.__name__ == '_wrap_close']
return tries(lambda: wrap[0].__init__.__globals__['popen']('cat ' + secret_file).read() or 1 / 0)
== poisons modules for the next job
import json, builtins
json.dumps = lambda *_, **__: '{"value": "a lie"}'
builtins.open = None
return 'mine'
== leaves modules that shadow others
open('json.py', 'w').write('raise SystemExit')
open('sitecustomize.py', 'w').write('raise SystemExit')
return 'left'
== starts setuid programs
import subprocess
return tries(lambda: subprocess.run(['/usr/bin/su', '-c', 'id'], check=True, timeout=2, capture_output=True))
'''
ATTACKS = [replace(each, code=TRIES + each.code) for each in table("python", PYTHON)]
