#!/bin/sh
# Takes the pictures of this folder anew from what the last run of tests/e2e/rdp has kept: without what is around a window.
# A new picture: make an empty file with the name of one in .artifacts/screenshots, then run this. Needs ImageMagick.
set -eu
cd "$(dirname "$0")"
for picture in *.png; do
    case $picture in
    refused-*) close="-trim +repage -bordercolor white -border 8" ;; # A terminal is mostly empty.
    *) close="" ;;
    esac
    # shellcheck disable=SC2086 # Several words, or none.
    convert-im6.q16 "../../../.artifacts/screenshots/$picture" -bordercolor black -border 1 -trim +repage $close \
        -resize '820x>' -colors 32 -strip "$picture"
done
