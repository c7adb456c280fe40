# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for tokenctl(1). Labels are not completed: reading them may need authorization.

_tokenctl ()
{
  local cur=${COMP_WORDS[COMP_CWORD]} words

  case ${COMP_WORDS[1]} in
    status) words='--json --verbose --help' ;;
    modules | monitor) words='--json --help' ;;
    unlock) words='--puk-fd --new-pin-fd --final-attempt --send-refused-code --send-unusual-code --help' ;;
    set-pin) words='--pin-fd --new-pin-fd --final-attempt --send-refused-code --send-unusual-code --help' ;;
    *) words= ;;
  esac
  if ((COMP_CWORD == 1)); then
    words='status unlock set-pin modules monitor --help --version'
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _tokenctl tokenctl
