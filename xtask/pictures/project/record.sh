#!/bin/sh
# Records the logs that the pictures show: builds the programs and runs them under memcheck.
set -eu
cd "$(dirname "$0")"
for name in sessions server; do
    c++ -g -O0 "src/$name.cc" -o "logs/$name"
    valgrind --leak-check=full --log-file="logs/$name.log" "logs/$name"
    rm "logs/$name"
done
