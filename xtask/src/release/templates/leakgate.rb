# Written by `cargo xtask release formula` in the repository of leakgate.
class Leakgate < Formula
  desc "Fails a build for unaccepted memory bugs and incomplete evidence"
  homepage "https://github.com/leakgate/leakgate"
  version "{version}"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "{url leakgate-{version}-aarch64-apple-darwin.tar.gz}"
      sha256 "{sha256 leakgate-{version}-aarch64-apple-darwin.tar.gz}"
    end
    on_intel do
      url "{url leakgate-{version}-x86_64-apple-darwin.tar.gz}"
      sha256 "{sha256 leakgate-{version}-x86_64-apple-darwin.tar.gz}"
    end
  end

  on_linux do
    on_arm do
      url "{url leakgate-{version}-aarch64-unknown-linux-musl.tar.gz}"
      sha256 "{sha256 leakgate-{version}-aarch64-unknown-linux-musl.tar.gz}"
    end
    on_intel do
      url "{url leakgate-{version}-x86_64-unknown-linux-musl.tar.gz}"
      sha256 "{sha256 leakgate-{version}-x86_64-unknown-linux-musl.tar.gz}"
    end
  end

  def install
    bin.install "leakgate"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/leakgate.bash" => "leakgate"
    fish_completion.install "completions/leakgate.fish"
    zsh_completion.install "completions/_leakgate"
  end

  test do
    (testpath/"empty.log").write ""
    assert_match "no-evidence", shell_output("#{bin}/leakgate check --no-config empty.log", 1)
  end
end
