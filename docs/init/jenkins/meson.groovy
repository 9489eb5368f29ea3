// Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
// More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md
// The agent needs these packages: build-essential git meson python3-venv valgrind
// Jenkins needs the plugins Warnings and JUnit.
pipeline {
    agent none
    stages {
        stage('Memory') {
            parallel {
                // C with Meson (meson.build)
                stage('memory-memcheck') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            git submodule update --init --recursive
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export SANITIZER='none'
                            export ASAN_OPTIONS='detect_leaks=0' # programs that the build itself runs may leak
                            meson setup build --buildtype=debug -Db_sanitize="$SANITIZER" -Db_lundef=false
                            meson compile -C build
                            unset SANITIZER ASAN_OPTIONS
                            .leakgate/bin/leakgate run --tool memcheck --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- meson test -C build
                        '''
                    }
                    post {
                        always {
                            recordIssues enabledForFailure: true, tool: issues(pattern: 'leakgate.json', id: 'memory-memcheck', name: 'memory-memcheck')
                            junit testResults: 'leakgate.xml', allowEmptyResults: true
                            archiveArtifacts artifacts: 'leakgate.html', allowEmptyArchive: true
                        }
                    }
                }
                // C with Meson (meson.build)
                stage('memory-asan') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            git submodule update --init --recursive
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export SANITIZER='address'
                            export ASAN_OPTIONS='detect_leaks=0' # programs that the build itself runs may leak
                            meson setup build --buildtype=debug -Db_sanitize="$SANITIZER" -Db_lundef=false
                            meson compile -C build
                            unset SANITIZER ASAN_OPTIONS
                            .leakgate/bin/leakgate run --tool asan --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- meson test -C build
                        '''
                    }
                    post {
                        always {
                            recordIssues enabledForFailure: true, tool: issues(pattern: 'leakgate.json', id: 'memory-asan', name: 'memory-asan')
                            junit testResults: 'leakgate.xml', allowEmptyResults: true
                            archiveArtifacts artifacts: 'leakgate.html', allowEmptyArchive: true
                        }
                    }
                }
            }
        }
    }
}
