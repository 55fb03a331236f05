#!/bin/sh
# Ingests the sample folder and asks it a few questions: sh examples/demo.sh [RAGCLI] [DATA_DIR]
set -u
ragcli=${1:-ragcli}
data=${2:-.demo}

ask() {
    printf '\n$ ragcli query "%s"\n' "$1"
    "$ragcli" query "$1" --data-dir "$data"
    code=$?
    # 3 says that the documents do not contain an answer, which the last question shows.
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"
}

printf '$ ragcli ingest examples/workshop\n'
"$ragcli" ingest examples/workshop --data-dir "$data" || exit $?
ask "What protection is required at the lathe?"
ask "How much does a reduced membership cost?"
ask "When is the workshop closed?"
ask "Who do I tell when a machine breaks?"
ask "What is the deposit for the pressure washer?"
ask "Which bus goes to the airport?"
printf '\nNext: ragcli ingest YOUR_FOLDER, then ragcli query "YOUR QUESTION"\n'
