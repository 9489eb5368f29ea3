# Tries `leakgate run` with checkers of Windows: AddressSanitizer of Visual Studio, and Application Verifier if it is
# installed.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-Location "$PSScriptRoot\.."
cargo build --workspace --bin leakgate
$leakgate = "$PWD\target\debug\leakgate.exe"
$source = "$PSScriptRoot\checked-program.c"
$studio = & "${env:ProgramFiles(x86)}\Microsoft Visual Studio\Installer\vswhere.exe" -latest -property installationPath
& "$studio\Common7\Tools\Launch-VsDevShell.ps1" -Arch amd64 -SkipAutomaticLocation
Set-Location (New-Item -ItemType Directory -Path "$env:RUNNER_TEMP\leakgate run")
cl /nologo /Zi /MD /Fe:app.exe $source
cl /nologo /Zi /MD /fsanitize=address /Fe:sanitized.exe $source
$PSNativeCommandUseErrorActionPreference = $false

# Runs leakgate, and fails unless it has this exit status and prints this text.
function Test-Run([int] $Status, [string] $Text, [string[]] $Arguments) {
    Write-Output "== leakgate run $Arguments"
    & $leakgate run @Arguments *> output.txt
    $found = $LASTEXITCODE
    Get-Content output.txt
    if ($found -ne $Status -or -not (Select-String -Quiet -SimpleMatch -Pattern $Text -Path output.txt)) {
        Write-Output "::error::leakgate run ${Arguments}: exit status $found, expected $Status and the text '$Text'"
        exit 1
    }
}

Test-Run 0 'pass: asan' '--tool', 'asan', '--', '.\sanitized'
Test-Run 1 'heap-use-after-free' '--tool', 'asan', '--', '.\sanitized', 'read-freed'
Test-Run 1 '[command-failed]' '--tool', 'asan', '--', '.\sanitized', 'fail'
if (Get-Command appverif -ErrorAction SilentlyContinue) {
    Test-Run 0 'pass: appverifier' '--tool', 'appverifier', '--', '.\app'
    Test-Run 1 '[unexpected-finding]' '--tool', 'appverifier', '--', '.\app', 'free-twice'
    Test-Run 1 '[command-failed]' '--tool', 'appverifier', '--', '.\app', 'fail'
} else {
    Write-Output '::notice::Application Verifier is not installed on this runner'
    Test-Run 2 'Windows SDK' '--tool', 'appverifier', '--', '.\app'
}
exit 0
