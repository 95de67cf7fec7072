#!/usr/bin/env bash
# The benchmark with its peers, in a size that says nothing of speed: that all can be had, answer whole and are compared.
set -euo pipefail
cd "$(dirname "$0")/.."

make bench BENCH="--quick --children 40 --seconds 1 --rounds 1 --warm-seconds 1 --living 2 --withdrawals 2 --region-seconds 0"
