#include "client/commands/completion_scripts.h"

namespace poller::client {
namespace {

constexpr std::string_view kBash =
    R"bash(# Completion of pollerctl for bash: source <(pollerctl completion bash)
_pollerctl() {
  local IFS=$'\n' word last='' strip quoted='' files='' i line
  local -a words=() lines=()
  # bash cuts words at = and :, which stand inside of ours.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((${#words[@]})) && [[ $word == [=:] || $last == [=:] ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    last=$word
  done
  ((${#words[@]})) || words=('')
  word=${words[${#words[@]} - 1]}
  case $last in
    [=:]) last='' ;;
    \"* | \'*) quoted=${last:0:1} word=${word%"$last"}${last:1} last=${last:1} ;;
    *) word=${word//\\/} last=${last//\\/} ;;
  esac
  words[${#words[@]} - 1]=$word
  strip=${word%"$last"}  # stands before the part that bash replaces
  mapfile -t lines < <("$1" __complete "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  for line in "${lines[@]}"; do
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    line=${line%%$'\t'*}
    line=${line#"$strip"}
    [[ -n $quoted ]] || printf -v line %q "$line"
    COMPREPLY+=("$line")
  done
  [[ -z $files ]] || compopt -o default 2>/dev/null
  return 0
}
complete -F _pollerctl pollerctl
)bash";

constexpr std::string_view kZsh = R"zsh(#compdef pollerctl
# Completion of pollerctl for zsh: source <(pollerctl completion zsh), after compinit.
_pollerctl() {
  local line value files=0
  local -a lines described
  lines=("${(@f)$("${words[1]}" __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${lines[@]}"; do
    if [[ $line == :files ]]; then
      files=1
    elif [[ -n $line ]]; then
      value=${${line%%$'\t'*}//:/\\:}
      if [[ $line == *$'\t'?* ]]; then
        described+=("$value:${line#*$'\t'}")
      else
        described+=("$value")
      fi
    fi
  done
  (( ${#described} )) && _describe pollerctl described
  if (( files )); then
    compset -P '--*='
    _files
  fi
}
if [[ ${funcstack[1]} == _pollerctl ]]; then
  _pollerctl "$@"
else
  compdef _pollerctl pollerctl
fi
)zsh";

constexpr std::string_view kFish =
    R"fish(# Completion of pollerctl for fish: pollerctl completion fish | source
function __pollerctl_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in ($program __complete $words 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c pollerctl -f -k -a '(__pollerctl_complete)'
)fish";

}  // namespace

std::string_view CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return "";
}

}  // namespace poller::client
