// Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
// More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md
// The agent needs these packages: build-essential git python3-venv valgrind
// Jenkins needs the plugins Warnings and JUnit.
pipeline {
    agent none
    stages {
        stage('Memory') {
            parallel {
                // C with make (Makefile)
                stage('memory-memcheck') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export FLAGS='-g -O1'
                            export ASAN_OPTIONS='detect_leaks=0' # programs that the build itself runs may leak
                            make CC="cc $FLAGS" CXX="c++ $FLAGS"
                            make CC="cc $FLAGS" CXX="c++ $FLAGS" test
                            unset FLAGS ASAN_OPTIONS
                            .leakgate/bin/leakgate run --tool memcheck --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- make test
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
                // C with make (Makefile)
                stage('memory-asan') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export FLAGS='-g -O1 -fno-omit-frame-pointer -fsanitize=address'
                            export ASAN_OPTIONS='detect_leaks=0' # programs that the build itself runs may leak
                            make CC="cc $FLAGS" CXX="c++ $FLAGS"
                            make CC="cc $FLAGS" CXX="c++ $FLAGS" test
                            unset FLAGS ASAN_OPTIONS
                            .leakgate/bin/leakgate run --tool asan --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- make test
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
