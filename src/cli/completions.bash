# Bash breaks words at = and : as well as at spaces. The words are put together again before they are completed, and
# what bash does not replace is taken off the replies.
#
# Names of sessions, tools and fields are written by others, and bash puts replies onto the line as they are: what means
# anything to it is quoted, in a way that holds between quotes too.
_mcptask_quote() {
    local LC_ALL=C at one
    word=
    for ((at = 0; at < ${#1}; at++)); do
        one="${1:at:1}"
        case "$one" in
            [a-zA-Z0-9] | [-_./:=@,+%~]) word+="$one" ;;
            [[:cntrl:]]) ;;
            [[:print:]]) word+="\\$one" ;;
            *) word+="$one" ;;
        esac
    done
}
_mcptask_complete() {
    local IFS=$'\013' left="$COMP_LINE" typed="${2//[\"\'\\]/}" word unspaced i
    local -a words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        unspaced="${left#"${left%%[![:space:]]*}"}"
        # Quotes are the shell's; the word at the cursor counts as far as the cursor.
        word="${COMP_WORDS[i]//[\"\'\\]/}"
        if ((i == COMP_CWORD)) && [[ -n "$typed" || "$word" != [=:]* ]]; then
            word="$typed"
        fi
        if ((i > 0)) && [[ -n "$left" && "$unspaced" == "$left" ]]; then
            words[${#words[@]} - 1]+="$word"
        else
            words+=("$word")
        fi
        left="${unspaced#"${COMP_WORDS[i]}"}"
    done
    local index=$((${#words[@]} - 1)) space=true
    local current="${words[index]}"
    local kept="${current%"$typed"}"
    if compopt +o nospace 2>/dev/null; then
        space=false
    fi
    COMPREPLY=($( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$index" \
        _CLAP_COMPLETE_COMP_TYPE="$COMP_TYPE" \
        _CLAP_COMPLETE_SPACE="$space" \
        VARIABLE=bash \
        COMPLETER -- "${words[@]}" \
    ))
    if [[ $? != 0 ]]; then
        unset COMPREPLY
        return
    fi
    if ((${#COMPREPLY[@]} > 0)); then
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
        for i in "${!COMPREPLY[@]}"; do
            _mcptask_quote "${COMPREPLY[i]}"
            COMPREPLY[i]="$word"
        done
    fi
    if [[ $space == false && "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
    complete -o nospace -o bashdefault -o nosort -F _mcptask_complete BINARY
else
    complete -o nospace -o bashdefault -F _mcptask_complete BINARY
fi
