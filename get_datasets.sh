#!/usr/bin/env bash
# Download CIFAR-10 (170 MB) into datasets/cifar-10-batches-py beside this script.
#
#   ./get_datasets.sh                                      download; an interrupted download continues where it stopped
#   CIFAR10_ARCHIVE=cifar-10-python.tar.gz ./get_datasets.sh    unpack an archive that you already have
#
# Environment:
#   CS231N_DATASETS   the folder for the data, instead of datasets/ beside this script
#   CIFAR10_URL       the address of the archive, for example on a mirror (file:// needs curl)
#   CIFAR10_ARCHIVE   a local archive; the script downloads nothing and does not change the archive
#   CIFAR10_MD5       the expected checksum of an archive that is not the original, such as a shortened one of a course
#
# Exit code: 0  the data is available
#            1  the download failed, or the folder cannot be written to
#            2  the archive is missing, is not the expected one, or does not contain CIFAR-10
#
# Each run uses its own folder, .cifar-10-fetch.PID, and moves the finished data with one rename. So you can stop a run
# at any moment, or start two runs at the same time, and a loader never finds an incomplete data set.
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
    fail 1 "CIFAR-10 could not be downloaded from $url ($1). The assignment still works: without CIFAR-10 the loaders \
use a small built-in sample and print that. To get CIFAR-10, run this script again when there is a network; the \
download continues where it stopped. Or download cifar-10-python.tar.gz on another machine and run \
CIFAR10_ARCHIVE=path/to/cifar-10-python.tar.gz ./get_datasets.sh"
}

complete() { # complete FOLDER: succeed if it contains every file that the loaders read
    local file
    for file in data_batch_{1..5} test_batch batches.meta; do
        [[ -f $1/$file && ! -L $1/$file && -s $1/$file ]] || return 1
    done
}

checksum() { # checksum FILE: print its md5, with the first tool that this system has
    if command -v md5sum >/dev/null; then
        md5sum <"$1" | cut -d ' ' -f 1
    elif command -v md5 >/dev/null; then
        md5 -q "$1"
    else
        python3 -c 'import hashlib, sys; print(hashlib.md5(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
    fi
}

child=
leave() { # keep only an interrupted download, for the next run
    if [[ -n $child ]]; then
        kill "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    if [[ -s $download ]]; then mv -f "$download" "$partial"; fi
    rm -rf "$work"
}

adopt_partial() { # take the partial download of an earlier run; of two concurrent renames only one succeeds
    local folder
    for folder in "$target"/.cifar-10-fetch.*; do
        if [[ -d $folder && $folder != "$work" ]] && ! kill -0 "${folder##*.}" 2>/dev/null; then
            mv "$folder/archive" "$partial" 2>/dev/null || true
            rm -rf "$folder"
        fi
    done
    mv "$partial" "$download" 2>/dev/null || true
}

run() { # run COMMAND...: in the background, because otherwise a signal would wait until the command has ended
    local code=0
    "$@" &
    child=$!
    wait "$child" || code=$?
    child=
    return "$code"
}

fetch() { # download into $download, after the bytes that it may already contain
    local code=0 status
    if command -v curl >/dev/null; then
        local quiet=(--progress-bar)
        [[ -t 2 ]] || quiet=(--silent --show-error)
        local curl=(curl --fail --location "${quiet[@]}" --connect-timeout 30 --speed-limit 1 --speed-time 60
            --write-out '%{http_code}' --output "$download")
        run "${curl[@]}" --continue-at - "$url" >"$work/status" || code=$?
        status=$(cat "$work/status")
        # 33 and 36: the server cannot resume; 416: the local part is longer than the file on the server
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
    [[ -s $download ]] || fail_download "the downloaded file is empty"
}

check_sum() { # check_sum FILE ORIGIN
    local found
    found=$(checksum "$1") || fail 2 "no tool to compute an md5 checksum: install md5sum, md5 or python3"
    [[ $found == "$expected" ]] && return
    rm -f "$download"
    fail 2 "$2 is not the expected archive: its md5 checksum is $found, expected was $expected. It may be damaged, or \
it may be a login page of the network. The script unpacked nothing and kept no part of a download. Run this script \
again, or try another CIFAR10_URL. If you trust this archive, set CIFAR10_MD5=$found"
}

unpack() { # unpack ARCHIVE into $work/$name, if it contains only that folder with regular files
    local listing line
    bad() {
        rm -f "$download"
        fail 2 "the archive $1. The script kept none of it. Expected is cifar-10-python.tar.gz with the folder $name."
    }
    listing=$(tar -tvzf "$1") || bad "cannot be read"
    [[ -n $listing ]] || bad "is empty"
    while IFS= read -r line; do
        [[ $line == [-d]* ]] || bad "contains an entry that is neither a file nor a folder: $line"
    done <<<"$listing"
    listing=$(tar -tzf "$1" 2>/dev/null) || bad "cannot be read"
    while IFS= read -r line; do
        [[ ${line#./} == "$name" || ${line#./} == "$name"/* ]] || bad "contains a name outside $name: $line"
        [[ /$line/ != */../* ]] || bad "contains a name with ..: $line"
    done <<<"$listing"
    tar -xzf "$1" -C "$work" --no-same-owner --no-same-permissions || bad "could not be unpacked"
    chmod -R u+rwX "$work/$name"
    complete "$work/$name" || bad "lacks a part of CIFAR-10"
}

install_data() {
    if [[ -e $target/$name ]] && ! complete "$target/$name"; then
        printf 'The folder %s lacks files. The script renamed it to %s.\n' "$target/$name" "$name.incomplete.$$"
        mv "$target/$name" "$target/$name.incomplete.$$"
    fi
    # Move into the parent, not to the name. If another run was faster, this fails and does not nest the folders.
    mv "$work/$name" "$target/" 2>/dev/null || complete "$target/$name" ||
        fail 1 "$work/$name could not be moved into $target"
}

for folder in "$target" "$target/$name"; do
    if complete "$folder"; then
        printf 'CIFAR-10 is already in %s. There is nothing to do.\n' "$folder"
        exit 0
    fi
done
mkdir -p "$work" || fail 1 "the folder $target cannot be written to; set CS231N_DATASETS to another folder"
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [[ -n ${CIFAR10_ARCHIVE:-} ]]; then
    archive=$CIFAR10_ARCHIVE
    [[ -f $archive ]] || fail 2 "CIFAR10_ARCHIVE names $archive, but there is no such file"
    check_sum "$archive" "$archive"
else
    archive=$download
    adopt_partial
    if [[ ! -s $download || $(checksum "$download") != "$expected" ]]; then
        printf 'Downloading CIFAR-10 from %s\n' "$url"
        fetch
    fi
    check_sum "$archive" "The file from $url"
fi
unpack "$archive"
install_data
rm -f "$download"
printf 'CIFAR-10 is now in %s.\n' "$target/$name"
