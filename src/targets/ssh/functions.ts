/**
 * What the remote shell knows: a POSIX sh with tar, flock, setsid, and the `cp -l`, `mv -T` and `head -c` of GNU or busybox.
 *
 * Until `keep` was called, the end of its input makes it put back what was live and remove what was not finished: our wish, our death and a cut
 * connection are the same to it. The lock belongs to an open file that its children share, but not those of the application, so that it is
 * held as long as anything of a deployment works, and no longer.
 */
export const functions = String.raw`
exec 2>&1
unset CDPATH
usual_umask=$(umask) usual_locale=$LC_ALL
umask 022
LC_ALL=C
export LC_ALL
part= new= back= job= command=
trap '' PIPE
trap leave EXIT
trap 'exit 1' HUP INT TERM

enter() {
  for program in flock setsid tar head find; do
    command -v "$program" >/dev/null || { echo "$program"; return 10; }
  done
  mkdir -p -- "$1" && cd -- "$1" || return
  [ -L current ] || [ ! -e current ] || return 12
  [ ! -L releases ] && mkdir -p releases || return 13
  mkdir -p .manifests && : >>.lock || return
  exec 9>>.lock
}

lock() { flock -n 9; }
wait_for_lock() { watched flock 9; }

look() {
  readlink current || echo
  ls -A releases
}

# Runs a command until it ends or our input does; a line of input, its status, is the answer to its end.
watched() {
  (as_usual; exec setsid sh -c '"$@" </dev/null; printf "\n%s ended %s\n" "$0" "$?"' "$token" "$@") &
  job=$!
  read -r answer || exit
  wait "$job"
  job=
  return "$answer"
}

as_usual() {
  trap - PIPE
  umask "$usual_umask"
  LC_ALL=$usual_locale
  [ -n "$LC_ALL" ] || unset LC_ALL
}

end_job() {
  kill -s TERM -- "-$job" || kill -s TERM "$job"
  wait "$job"
  for second in 1 2 3 4 5; do
    kill -s 0 -- "-$job" || return
    sleep 1
  done
  kill -s KILL -- "-$job"
} 2>/dev/null

# The new release begins as the one that is live, file by file the same.
prepare() {
  for leftover in releases/.part-*; do
    [ ! -e "$leftover" ] || rm -rf -- "$leftover" || return
  done
  for manifest in .manifests/*; do
    [ -d "releases/${"$"}{manifest#.manifests/}" ] || rm -f -- "$manifest"
  done
  part=.part-$1
  mkdir -p -- "releases/$part/release" || return
  [ -n "$2" ] && [ -f ".manifests/$2" ] && [ -d "releases/$2" ] || return 20
  cp -al -- "releases/$2/." "releases/$part/release" || { start_over; return 20; }
  wc -c <".manifests/$2"
  cat -- ".manifests/$2"
  cd -- "releases/$2" || return
  find . ! -type d -newer "../../.manifests/$2" -print0
  cd ../..
}

start_over() { rm -rf -- "releases/$part/release" && mkdir -- "releases/$part/release"; }

share() {
  mkdir -p shared || return
  case $1 in
    */) mkdir -p -- "shared/$1" ;;
    *) [ -e "shared/$1" ] || { echo "$1"; return 22; } ;;
  esac
}

# What a tar that failed leaves of its input would be taken for commands.
receive() {
  printf '\n%s ready 0\n' "$token"
  head -c "$1" | { tar -xomf - -C "releases/$part"; status=$?; cat >/dev/null; exit "$status"; }
}

complete() {
  [ "$(find "releases/$part/release" | wc -l)" -eq "$2" ] || return 21
  mv -- "releases/$part/manifest" ".manifests/$1" && mv -- "releases/$part/release" "releases/$1" || return
  new=$1
  rmdir -- "releases/$part"
  part=
}

switch() {
  [ -d "releases/$1" ] || return 23
  back=$2
  point "$1"
}

point() { ln -sfn "releases/$1" .current.part && mv -fT .current.part current; }

restart() { command=$2; check "$1" "$2"; }

# Runs one of the application's commands in a release.
check() {
  SIGNALBOX_RELEASE=$PWD/releases/$1
  export SIGNALBOX_RELEASE
  watched sh -c 'cd -- "$SIGNALBOX_RELEASE" && exec sh -e -c "$0"' "$2" 9>&-
}

keep() { back= new=; }
take_back() { new=$1 back=$2; }

forget() {
  for old; do
    mv -- "releases/$old" "releases/.part-$old" && rm -rf -- "releases/.part-$old" ".manifests/$old" || echo "releases/$old could not be removed."
  done
}

take_away() {
  rm -f -- current .current.part && rm -rf -- releases .manifests shared && rm -f .lock || return
  site=$PWD
  cd / && rmdir -- "$site" 2>/dev/null || echo "What else lies there stays."
}

leave() {
  trap - EXIT
  trap '' HUP INT TERM
  [ -z "$job" ] || end_job
  status=0
  if [ -n "$back" ]; then
    point "$back" && echo "current points at releases/$back again." && restart_back || status=1
  fi
  [ -z "$part" ] || rm -rf -- "releases/$part"
  [ -z "$new" ] || [ "$(readlink current)" = "releases/$new" ] || forget "$new"
  printf '\n%s left %s\n' "$token" "$status"
  exit "$status"
}

# Nobody may be listening any more, and nobody can end it: it gets a minute.
restart_back() {
  [ -n "$command" ] || return 0
  SIGNALBOX_RELEASE=$PWD/releases/$back
  (as_usual; exec setsid sh -c 'cd -- "$SIGNALBOX_RELEASE" && exec sh -e -c "$0"' "$command") </dev/null >/dev/null 2>&1 9>&- &
  job=$!
  (exec setsid sh -c 'sleep 60; kill -s KILL -- "-$0"' "$job") </dev/null >/dev/null 2>&1 9>&- &
  watchdog=$!
  wait "$job"
  restarted=$?
  kill -s KILL -- "-$watchdog" 2>/dev/null || kill -s KILL "$watchdog"
  [ "$restarted" -eq 0 ] || echo "The restart failed there too."
  return "$restarted"
}
`;
