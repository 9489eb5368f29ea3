// Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
// More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md
// The agent needs these packages: build-essential cmake git python3-venv valgrind
// Jenkins needs the plugins Warnings and JUnit.
pipeline {
    agent none
    stages {
        stage('Memory') {
            parallel {
                // C with CMake (CMakeLists.txt)
                stage('memory-memcheck') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            cd native
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export CFLAGS='-g -O1'
                            export CXXFLAGS='-g -O1'
                            export ASAN_OPTIONS='detect_leaks=0' # programs that the build itself runs may leak
                            cmake -S . -B build
                            cmake --build build --parallel
                            unset CFLAGS CXXFLAGS ASAN_OPTIONS
                            .leakgate/bin/leakgate run --tool memcheck --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- ctest --test-dir build --output-on-failure
                        '''
                    }
                    post {
                        always {
                            recordIssues enabledForFailure: true, tool: issues(pattern: 'native/leakgate.json', id: 'memory-memcheck', name: 'memory-memcheck')
                            junit testResults: 'native/leakgate.xml', allowEmptyResults: true
                            archiveArtifacts artifacts: 'native/leakgate.html', allowEmptyArchive: true
                        }
                    }
                }
                // C with CMake (CMakeLists.txt)
                stage('memory-asan') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            cd native
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export CFLAGS='-g -O1 -fno-omit-frame-pointer -fsanitize=address'
                            export CXXFLAGS='-g -O1 -fno-omit-frame-pointer -fsanitize=address'
                            export ASAN_OPTIONS='detect_leaks=0' # programs that the build itself runs may leak
                            cmake -S . -B build
                            cmake --build build --parallel
                            unset CFLAGS CXXFLAGS ASAN_OPTIONS
                            .leakgate/bin/leakgate run --tool asan --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- ctest --test-dir build --output-on-failure
                        '''
                    }
                    post {
                        always {
                            recordIssues enabledForFailure: true, tool: issues(pattern: 'native/leakgate.json', id: 'memory-asan', name: 'memory-asan')
                            junit testResults: 'native/leakgate.xml', allowEmptyResults: true
                            archiveArtifacts artifacts: 'native/leakgate.html', allowEmptyArchive: true
                        }
                    }
                }
            }
        }
    }
}
