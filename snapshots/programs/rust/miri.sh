#!/bin/sh
# Writes ./run-miri, which runs Miri with the standard library that was made for it, wherever both are.
set -e
toolchain=$(rustc --print sysroot)
export XDG_CACHE_HOME="$PWD/cache"
library=$(cargo miri setup --print-sysroot)
cat > run-miri <<END
#!/bin/sh
exec "$toolchain/bin/miri" --sysroot "$library" --edition 2024 "\$@"
END
chmod +x run-miri
