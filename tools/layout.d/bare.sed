# Names of functions without hashes and numbers, which differ with every version of a dependency: `sed -E -f`.
s/17h[0-9a-f]{16}E/E/
s/Cs[0-9A-Za-z]+_/Cs_/g
s/E\.(llvm\.)?[0-9]+$/E/
# What long names begin with tells enough.
s/^(.{100}).*/\1/
