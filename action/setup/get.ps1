# Runs get.sh on Windows and passes on its exit status.
#
# On windows-11-arm, bash sometimes does nothing and succeeds, so a run without the output `path` is repeated:
# https://github.com/actions/partner-runner-images/issues/169
$ErrorActionPreference = 'Continue'
$attempts = 10

# Returns the bash of Git for Windows, as the runner does, because `bash` on PATH may be that of WSL.
function Find-Bash {
    $git = Get-Command git.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($git) {
        $folder = Split-Path -Parent $git.Source
        while ($folder) {
            $bash = Join-Path $folder 'bin\bash.exe'
            if (Test-Path -LiteralPath $bash) {
                return $bash
            }
            $folder = Split-Path -Parent $folder
        }
    }
    return 'bash'
}

$bash = Find-Bash
for ($attempt = 1; $attempt -le $attempts; $attempt++) {
    & $bash "$PSScriptRoot/get.sh"
    $status = $LASTEXITCODE
    if ($status -ne 0) {
        exit $status
    }
    if (Select-String -LiteralPath $env:GITHUB_OUTPUT -Pattern '^path=' -Quiet) {
        exit 0
    }
    Write-Output "bash did nothing in attempt $attempt of $attempts"
}
Write-Output '::error title=leakgate::cannot install leakgate: bash does nothing on this runner; run the job again'
exit 2
