#!/bin/sh
# An agent that repeats its prompts. Every line of its input and output is WORD ID TEXT.
#
# echo-agent.sh (start|resume) CONVERSATION
#   prompt ID TEXT         says each word of the text
#   prompt ID repeat FILE  says each line of a file or FIFO
#   prompt ID tool TEXT    asks whether it may say the text
#   prompt ID choose A B   asks which of the words to say
#   yes ID TEXT, no ID TEXT, stop ID, model ID NAME
conversation=$2
printf 'conversation %s %s\n' "$conversation" "$1"

prompt=
job=
say() { for word in $1; do printf 'say %s %s\n' "$prompt" "$word"; done; }
end() {
  [ -n "$prompt" ] && printf 'end %s %s\n' "$prompt" "$1"
  prompt= job=
}

while read -r word id text; do
  case $word in
    prompt)
      # The job before, if any, has ended by itself.
      job=
      prompt=$id
      printf 'turn %s\n' "$id"
      case $text in
        'repeat '*)
          (
            while read -r line; do printf 'say %s %s\n' "$prompt" "$line"; done <"${text#repeat }"
            end done
          ) &
          job=$!
          ;;
        'tool '*) printf 'tool ask-%s %s\n' "$id" "${text#tool }" ;;
        'choose '*) printf 'choose ask-%s %s\n' "$id" "${text#choose }" ;;
        *)
          say "$text"
          end done
          ;;
      esac
      ;;
    yes)
      say "$text"
      end done
      ;;
    no)
      say "refused: $text"
      end done
      ;;
    stop)
      printf 'ok %s\n' "$id"
      if [ -n "$job" ]; then
        kill "$job"
        wait "$job"
        # 143: it was killed before it could end its turn itself.
        [ $? -eq 143 ] && end stopped
      else
        end stopped
      fi
      ;;
    model) printf 'ok %s\n' "$id" ;;
  esac
done
wait
