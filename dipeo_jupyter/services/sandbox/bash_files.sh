# Sourced by Bash before the code of a job: at its end it says which files are lost now, because
# whoever has written them may think that they are kept. Code with an EXIT trap of its own replaces it.
unset BASH_ENV # programs that the code starts have nothing to say
__dipeo_folder=$PWD

__dipeo_left() {
  (($? == 0)) || return 0 # then its own words are what counts
  set +efu                # whatever the code has set
  shopt -u failglob
  local each told verb=are
  local -a left=()
  for each in "$__dipeo_folder"/[!.]*; do
    [[ ! -f $each ]] || left+=("${each##*/}")
  done
  ((${#left[@]} > 0)) || return 0
  ((${#left[@]} > 1)) || verb=is
  printf -v told ', %s' "${left[@]:0:3}"
  ((${#left[@]} <= 3)) || told+=', …'
  printf '%s %s not kept: print what is in there, and let a db write it.\n' "${told:2}" "$verb" >&2
}

trap __dipeo_left EXIT
