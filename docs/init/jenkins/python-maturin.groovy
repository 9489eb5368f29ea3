// Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
// More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md
// The agent needs rustup, and these packages: git python3-dev python3-venv valgrind
// Jenkins needs the plugins Warnings and JUnit.
pipeline {
    agent none
    stages {
        stage('Memory') {
            parallel {
                // Python extension with maturin (pyproject.toml)
                stage('memory-memcheck') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            export CFLAGS='-g -O1'
                            export CXXFLAGS='-g -O1'
                            python3 -m venv .venv
                            .venv/bin/python -m pip install maturin pytest
                            .venv/bin/maturin develop --extras test
                            unset CFLAGS CXXFLAGS
                            .leakgate/bin/leakgate run --tool memcheck --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- .venv/bin/python -m pytest
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
            }
        }
    }
}
