#!/usr/bin/env bash
# Fetch CIFAR-10 (170 MB) into datasets/cifar-10-batches-py, beside this script.
#
#   ./get_datasets.sh                                      download; a broken-off download goes on where it stopped
#   CIFAR10_ARCHIVE=cifar-10-python.tar.gz ./get_datasets.sh    unpack an archive that you have already
#
# Environment:
#   CS231N_DATASETS   the folder to put the data into, instead of datasets/ beside this script
#   CIFAR10_URL       where to download from, a mirror for example (file:// works where curl is installed)
#   CIFAR10_ARCHIVE   a local archive; nothing is downloaded and the archive itself is left alone
#   CIFAR10_MD5       the checksum to expect, for an archive that is not the original: a course's shortened one, say
#
# Exit code: 0  the data is there
#            1  it could not be downloaded, or the folder could not be written to
#            2  the archive is missing, is not the expected one, or does not hold CIFAR-10
#
# Each run works in a folder of its own, .cifar-10-fetch.PID, and the finished data appears in one rename. So a run
# may be stopped at any moment, or run twice at once, and a loader never finds half a data set.
set -euo pipefail

name=cifar-10-batches-py
url=${CIFAR10_URL:-https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz}
expected=$(printf '%s' "${CIFAR10_MD5:-c58f30108f718f92721af3b95e74349a}" | tr '[:upper:]' '[:lower:]')
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${CS231N_DATASETS:-$here/datasets}
partial=$target/cifar-10-python.tar.gz.partial
work=$target/.cifar-10-fetch.$$
download=$work/archive

fail() { # fail CODE MESSAGE
    printf 'get_datasets.sh: %s\n' "$2" >&2
    exit "$1"
}

fail_download() {
    fail 1 "CIFAR-10 could not be downloaded from $url ($1). Nothing is lost: everything in the assignment still \
runs, because without CIFAR-10 the loaders draw and use a small built-in sample and say so. To get the real data, run \
this script again when there is a network, and it goes on where it stopped; or download cifar-10-python.tar.gz on \
another machine and run CIFAR10_ARCHIVE=path/to/cifar-10-python.tar.gz ./get_datasets.sh"
}

complete() { # complete FOLDER: does it hold every file the loaders read?
    local file
    for file in data_batch_{1..5} test_batch batches.meta; do
        [[ -f $1/$file && ! -L $1/$file && -s $1/$file ]] || return 1
    done
}

checksum() { # checksum FILE: its md5, by whichever tool this system has
    if command -v md5sum >/dev/null; then
        md5sum <"$1" | cut -d ' ' -f 1
    elif command -v md5 >/dev/null; then
        md5 -q "$1"
    else
        python3 -c 'import hashlib, sys; print(hashlib.md5(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
    fi
}

child=
leave() { # keep a broken-off download for the next run, and nothing else
    if [[ -n $child ]]; then
        kill "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    if [[ -s $download ]]; then mv -f "$download" "$partial"; fi
    rm -rf "$work"
}

adopt_partial() { # take over what an earlier run downloaded; a rename has only one winner
    local folder
    for folder in "$target"/.cifar-10-fetch.*; do
        if [[ -d $folder && $folder != "$work" ]] && ! kill -0 "${folder##*.}" 2>/dev/null; then
            mv "$folder/archive" "$partial" 2>/dev/null || true
            rm -rf "$folder"
        fi
    done
    mv "$partial" "$download" 2>/dev/null || true
}

run() { # run COMMAND...: behind our back, because a signal to us would otherwise wait until it has ended
    local code=0
    "$@" &
    child=$!
    wait "$child" || code=$?
    child=
    return "$code"
}

fetch() { # download into $download, behind the bytes it may hold already
    local code=0 status
    if command -v curl >/dev/null; then
        local quiet=(--progress-bar)
        [[ -t 2 ]] || quiet=(--silent --show-error)
        local curl=(curl --fail --location "${quiet[@]}" --connect-timeout 30 --speed-limit 1 --speed-time 60
            --write-out '%{http_code}' --output "$download")
        run "${curl[@]}" --continue-at - "$url" >"$work/status" || code=$?
        status=$(cat "$work/status")
        # 33 and 36: this server cannot resume; 416: what we hold is longer than the file there
        if [[ -s $download && ($code == 33 || $code == 36 || $status == 416) ]]; then
            rm -f "$download"
            code=0
            run "${curl[@]}" "$url" >"$work/status" || code=$?
        fi
        [[ $code == 0 ]] || fail_download "curl ended with code $code"
    elif command -v wget >/dev/null; then
        run wget --continue --tries=3 --timeout=60 --output-document="$download" "$url" ||
            fail_download "wget ended with code $?"
    else
        fail_download "neither curl nor wget is installed"
    fi
    [[ -s $download ]] || fail_download "the answer was empty"
}

check_sum() { # check_sum FILE ORIGIN
    local found
    found=$(checksum "$1") || fail 2 "no tool to compute an md5 checksum: install md5sum, md5 or python3"
    [[ $found == "$expected" ]] && return
    rm -f "$download"
    fail 2 "$2 is not the expected archive: its md5 checksum is $found, expected was $expected. It may be damaged, or \
a login page of the network may have answered in its place. Nothing was unpacked and nothing of a download is kept. \
Run this script again, try another CIFAR10_URL, or, if you trust this very archive, set CIFAR10_MD5=$found"
}

unpack() { # unpack ARCHIVE into $work/$name, if it holds that folder of plain files and nothing else
    local listing line
    bad() {
        rm -f "$download"
        fail 2 "the archive $1. Nothing of it was kept. Expected is cifar-10-python.tar.gz with the folder $name."
    }
    listing=$(tar -tvzf "$1") || bad "cannot be read"
    [[ -n $listing ]] || bad "is empty"
    while IFS= read -r line; do
        [[ $line == [-d]* ]] || bad "holds something that is neither a file nor a folder: $line"
    done <<<"$listing"
    listing=$(tar -tzf "$1" 2>/dev/null) || bad "cannot be read"
    while IFS= read -r line; do
        [[ ${line#./} == "$name" || ${line#./} == "$name"/* ]] || bad "holds a name outside $name: $line"
        [[ /$line/ != */../* ]] || bad "holds a name that climbs out of its folder: $line"
    done <<<"$listing"
    tar -xzf "$1" -C "$work" --no-same-owner --no-same-permissions || bad "could not be unpacked"
    chmod -R u+rwX "$work/$name"
    complete "$work/$name" || bad "lacks a part of CIFAR-10"
}

install_data() {
    if [[ -e $target/$name ]] && ! complete "$target/$name"; then
        printf 'The folder %s lacks files; it is kept as %s.\n' "$target/$name" "$name.incomplete.$$"
        mv "$target/$name" "$target/$name.incomplete.$$"
    fi
    # moving into the parent, not onto the name: if another run was faster this fails, and never nests the folders
    mv "$work/$name" "$target/" 2>/dev/null || complete "$target/$name" ||
        fail 1 "$work/$name could not be moved into $target"
}

for folder in "$target" "$target/$name"; do
    if complete "$folder"; then
        printf 'CIFAR-10 is already in %s; nothing to do.\n' "$folder"
        exit 0
    fi
done
mkdir -p "$work" || fail 1 "the folder $target cannot be written to; set CS231N_DATASETS to one that can"
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [[ -n ${CIFAR10_ARCHIVE:-} ]]; then
    archive=$CIFAR10_ARCHIVE
    [[ -f $archive ]] || fail 2 "CIFAR10_ARCHIVE names $archive, and there is no such file"
    check_sum "$archive" "$archive"
else
    archive=$download
    adopt_partial
    if [[ ! -s $download || $(checksum "$download") != "$expected" ]]; then
        printf 'Fetching CIFAR-10 from %s\n' "$url"
        fetch
    fi
    check_sum "$archive" "What came from $url"
fi
unpack "$archive"
install_data
rm -f "$download"
printf 'CIFAR-10 is now in %s.\n' "$target/$name"
