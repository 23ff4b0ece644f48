# Every recipe is a name for a script or a cargo command; nothing needs `just`.

set positional-arguments

# Lists the recipes.
default:
    @just --list

# The service with its built-in identity provider, on this machine only.
run *ARGS:
    cargo run --release -- serve --dev "$@"

# Layout, lints and every test, on SQLite and Postgres; with arguments only the tests they name.
test *ARGS:
    scripts/test "$@"

# The concurrency model, 256 plans of each kind or as many as said.
test-concurrency *ARGS:
    scripts/test-concurrency "$@"

# The official MCP conformance suite against the built program.
test-conformance *ARGS:
    scripts/test-conformance "$@"

# The pages in a real Chromium; with arguments only the walks they name.
test-pages *ARGS:
    scripts/test-pages "$@"

# Pictures of every page in light, in dark and on a phone, into target/screenshots.
screenshots *ARGS:
    scripts/screenshots "$@"

# Replays the seeds of the fuzz targets and fuzzes each for a minute, or as many seconds as said.
fuzz *ARGS:
    scripts/fuzz "$@"

# Real MCP servers behind the real program, as `[[remote]]` names them.
test-remotes:
    scripts/test-remotes

# The real client libraries against the real program; with names only those clients, or --write.
test-clients *ARGS:
    scripts/test-clients "$@"

# The race probe against any OAuth server that registers clients; asks for three sign-ins.
probe *ARGS:
    scripts/probe "$@"

# How often search finds what readers ask; --misses lists what the tuning half misses.
search-quality *ARGS:
    scripts/search-quality "$@"

# Layout, lints, walls and manners: what needs no database.
check:
    scripts/check

# What this machine can show of docs/deploy: settings, unit, read-only run as nobody.
test-deploy *ARGS:
    scripts/test-deploy "$@"

# How fast it is beside what the machine can do; --quick for a minute's worth of it.
bench *ARGS:
    scripts/bench "$@"

# What each path allocates beside its ceiling; --write makes that the ceilings.
ceilings *ARGS:
    scripts/ceilings "$@"

# How much room two months of use take in Postgres, so many sign-ins a day.
measure-bloat *ARGS:
    scripts/measure-bloat "$@"

# Writes openapi.yaml from the types in api/.
openapi:
    scripts/openapi

# openapi.yaml against the built program, by requests that schemathesis makes of it.
test-document *ARGS:
    scripts/test-document "$@"

# Licences, sources, bans and build scripts of what the program is made of.
supply-chain:
    scripts/supply-chain
