#!/real/bash -p
# Every program of the throwaway root: it writes down what it was called with, and then does what its kind does.
# Kinds stand in /real/kinds: `real` runs the program itself, `tail` and `shell` run what stands behind its options.
name=${0##*/}
printf '%s\0' "$#" "$name" "$@" >>"/run/calls/$$"
while read -r kind called short long operands; do
    [ "$called" = "$name" ] && break
    kind=
done </real/kinds

case $kind in
real)
    exec -a "$name" "/real/$name" "$@" ;;
code) # su, runuser, script, sg: code stands behind -c
    while [ $# -gt 0 ]; do
        case $1 in
        --command=*) exec -a sh /real/sh -c "${1#--command=}" ;;
        --command | -c | -qc | -ec) exec -a sh /real/sh -c "$2" ;;
        esac
        shift
    done
    exit 0 ;;
tail | shell)
    while [ $# -gt 0 ]; do
        case $1 in
        --)
            shift
            break ;;
        --*=*) shift ;;
        --*)
            case ",$long," in *",${1#--},"*) shift ;; esac
            shift ;;
        -?*)
            letters=${1#-}
            shift
            while [ -n "$letters" ]; do
                case $short in
                *"${letters:0:1}"*)
                    [ -n "${letters:1}" ] || shift
                    break ;;
                esac
                letters=${letters:1}
            done ;;
        [A-Za-z_]*=*)
            case $name in sudo | doas) export "${1?}" ;; *) break ;; esac
            shift ;;
        *)
            [ "$operands" -gt 0 ] || break
            operands=$((operands - 1))
            shift ;;
        esac
    done
    while [ "$operands" -gt 0 ]; do
        shift
        operands=$((operands - 1))
    done
    [ $# -gt 0 ] || exit 0
    [ "$kind" = tail ] && exec "$@"
    exec -a sh /real/sh -c "$*" ;;
esac
read -r fails </run/fails
[ "$fails" = 1 ] && exit 1
echo "out-$name two"
