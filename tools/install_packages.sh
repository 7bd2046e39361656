# Sourced by ./run, ./test and tools/check: makes sure that the Debian packages of the given groups
# (tools/packages.txt) are there. Quick when they are: one dpkg-query.
install_packages() {
  local groups=" $* " wanted=() missing=() group package sudo=""
  while read -r group package; do
    [[ $groups == *" $group "* ]] && wanted+=("$package")
  done < <(grep -v '^#' "$root/tools/packages.txt")
  mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
      sed -n 's/^installed //p' | sort))
  [[ ${#missing[@]} -eq 0 ]] && return 0

  if [[ $(id -u) -ne 0 ]]; then
    if command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
      sudo=sudo
    else
      echo "These packages are missing; install them as root and try again:" >&2
      echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
  fi
  echo "installing packages: ${missing[*]}" >&2
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  $sudo "${apt[@]}" update -qq >&2
  $sudo "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}" >&2
}
