"""What JavaScript tries."""

from __future__ import annotations

from dataclasses import replace

from .attacks import table

TRIES = """\
const fs = require('node:fs'), net = require('node:net'), child = require('node:child_process');
const tries = (act) => { try { return 'GOT OUT: ' + String(act()).slice(0, 100) } catch { return 'refused' } };
const connects = (options) => new Promise((answer) => {
  const socket = net.connect(options, () => answer('GOT OUT')).on('error', () => answer('refused'));
  setTimeout(() => { socket.destroy(); answer('nobody there') }, 500);
});
"""

JAVASCRIPT = """
== control: value | =42
return answer
== control: await | =1
return await Promise.resolve(1)
== control: its folder | =kept
fs.writeFileSync('a.txt', 'kept')
return fs.readFileSync('a.txt', 'utf8')
== control: a subprocess | =two
return child.execFileSync('/bin/echo', ['two']).toString().trim()
== control: its own error | ReferenceError: nothing is not defined
nothing()
== reads a secret
return tries(() => fs.readFileSync(secret_file, 'utf8'))
== reads a secret through a link
fs.symlinkSync(secret_file, 'link')
return tries(() => fs.readFileSync('link', 'utf8'))
== reads a secret by a command
return tries(() => child.execSync('cat ' + secret_file, { stdio: 'pipe' }))
== reads the environment of the server
return tries(() => fs.readFileSync(`/proc/${server}/environ`))
== finds no secret in its environment | =False
return canary_name in process.env
== writes into the workspace
return tries(() => fs.writeFileSync(workspace + '/new', 'x'))
== changes a file of the workspace
return tries(() => fs.appendFileSync(canary_file, 'x'))
== removes a file of the workspace
return tries(() => fs.rmSync(canary_file))
== changes modes and times
tries(() => fs.chmodSync(canary_file, 0o777))
tries(() => fs.utimesSync(canary_file, 1, 1))
== connects to loopback
return await connects({ host: '127.0.0.1', port })
== fetches from loopback
return await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(500) }).then(() => 'GOT OUT', () => 'refused')
== connects to a Unix socket in a folder
return await connects({ path: unix_socket })
== sends a datagram
const socket = require('node:dgram').createSocket('udp4')
return await new Promise((answer) => {
  socket.on('error', () => answer('refused'))
  try { socket.send('x', udp_port, '127.0.0.1', (error) => answer(error ? 'refused' : 'sent')) } catch { answer('refused') }
})
== listens for others
return await new Promise((answer) => {
  const server_socket = net.createServer().on('error', () => answer('refused'))
  server_socket.listen(0, '0.0.0.0', () => answer('GOT OUT'))
})
== kills a process of the user
tries(() => process.kill(victim, 9))
== kills the server
return server > 30 ? tries(() => process.kill(server, 0)) : 'refused'
== climbs out of a context
return tries(() => require('node:vm').runInNewContext('this.constructor.constructor("return process")()').mainModule.require('fs').readFileSync(secret_file, 'utf8'))
== reaches inner bindings
return tries(() => process.binding('fs').internalModuleReadJSON(secret_file).join('') || fs.nothing())
== imports what a URL says
return await import('data:text/javascript,import fs from "node:fs"; export default fs.readFileSync(' + encodeURIComponent(JSON.stringify(secret_file)) + ')').then(() => 'GOT OUT', () => 'refused')
== requires from elsewhere
return tries(() => require('node:module').createRequire(workspace + '/x.js')('./evil.js'))
== loads native code
return tries(() => process.dlopen({ exports: {} }, workspace + '/evil.node'))
== loops | longer than 0.7 s | 0.7
while (true) {}
== waits for what never comes | waits for a promise
await new Promise(() => {})
== lives by a timer | longer than 0.7 s | 0.7
await new Promise(() => setInterval(() => {}, 10))
== blocks its thread | longer than 0.7 s | 0.7
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
== matches for ever | longer than 0.7 s | 0.7
/(a+)+$/.test('a'.repeat(60) + 'b')
== takes all memory in its heap
const all = []
while (true) all.push(new Array(100000).fill(Math.random()))
== takes all memory outside of its heap
const all = []
while (true) all.push(Buffer.alloc(10_000_000, 1))
== takes memory by WebAssembly
const all = []
for (let i = 0; i < 40; i++) { const memory = new WebAssembly.Memory({ initial: 1000 }); new Uint8Array(memory.buffer).fill(1); all.push(memory) }
return 'GOT OUT'
== makes threads without end
const { Worker } = require('node:worker_threads')
for (let i = 0; i < 200; i++) new Worker('setInterval(() => {}, 1000)', { eval: true }).on('error', () => {})
== makes processes without end
while (true) try { child.spawn('sleep', ['100']).on('error', () => {}) } catch {}
== says much
for (let i = 0; i < 50; i++) fs.writeSync(1, 'x'.repeat(999_999) + '\\n')
== fills its folder
for (let i = 0; i < 60; i++) fs.writeFileSync(String(i), Buffer.alloc(1_000_000))
await new Promise(() => setInterval(() => {}, 10))
== says a BigInt | BigInt, which is not JSON
return 10n
== says what contains itself | contains itself
const x = {}
x.x = x
return x
== has a toJSON that throws | Error: mine
return { toJSON() { throw new Error('mine') } }
== has a __proto__ in its result
return JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": {"admin": true}}}')
== says a result that is too large | result is too large
return 'x'.repeat(20_000_000)
== exits without a result | ended its own process
process.exit(0)
== fails after its end
setTimeout(() => Promise.reject(new Error('late')), 20)
return 'in time'
== poisons what makes its result
Object.prototype.toJSON = () => 'mine'
JSON.stringify = () => '"mine"'
Array.prototype.map = () => ['mine']
return [1]
== forges an early report
for (let fd = 3; fd < 64; fd++) try { fs.writeSync(fd, '{"value": "a lie"}\\n') } catch {}
return 'true'
== leaves a daemon
child.spawn('/bin/sh', ['-c', 'sleep 60; :'], { argv0: marker, detached: true, stdio: 'ignore' }).unref()
return 'left'
== swaps its folder for a link
const folder = process.cwd()
process.chdir('/')
return [tries(() => fs.rmdirSync(folder)), tries(() => fs.symlinkSync(workspace, folder + '2'))]
"""
ATTACKS = [replace(each, code=TRIES + each.code) for each in table("javascript", JAVASCRIPT)]
