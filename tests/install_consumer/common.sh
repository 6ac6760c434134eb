# shellcheck shell=bash disable=SC2034
# What the scripts in this folder share.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
work_dir=$source_dir/build/install_consumer
demo=$source_dir/models/demo
expected="embeddings [2, 256]
sequence_output [1, 32, 256]
cosine 0."

# The library is compiled several times with the same flags. A cache does it once.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  export CCACHE_NOHASHDIR=1
  export CCACHE_BASEDIR=${CCACHE_BASEDIR-$source_dir}
fi

fail() {
  echo "install_consumer: $*" >&2
  exit 1
}

# expect STATUS TEXT COMMAND...: exit status and a part of the output, standard error included.
expect() {
  local status=0 output
  output=$("${@:3}" 2>&1) || status=$?
  ((status == $1)) || fail "${*:3}: status $status instead of $1: $output"
  [[ $output == *"$2"* ]] || fail "${*:3}: no \"$2\" in: $output"
}
