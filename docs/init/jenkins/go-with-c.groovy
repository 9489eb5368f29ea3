// Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
// More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md
// The agent needs Go, and these packages: git python3-venv
// Jenkins needs the plugins Warnings and JUnit.
pipeline {
    agent none
    stages {
        stage('Memory') {
            parallel {
                // Go with C (go.mod)
                stage('memory-asan') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            .leakgate/bin/leakgate run --tool asan --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- go test ./...
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
                // Go with C (go.mod)
                stage('memory-tsan') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            .leakgate/bin/leakgate run --tool tsan --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- go test ./...
                        '''
                    }
                    post {
                        always {
                            recordIssues enabledForFailure: true, tool: issues(pattern: 'leakgate.json', id: 'memory-tsan', name: 'memory-tsan')
                            junit testResults: 'leakgate.xml', allowEmptyResults: true
                            archiveArtifacts artifacts: 'leakgate.html', allowEmptyArchive: true
                        }
                    }
                }
            }
        }
    }
}
