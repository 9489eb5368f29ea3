// Runs the tests under memory checkers, and fails on findings that leakgate.toml does not accept.
// More about this pipeline: https://github.com/leakgate/leakgate/blob/main/docs/ci.md
// The agent needs these packages: build-essential git python3-venv valgrind
// Jenkins needs the plugins Warnings and JUnit.
pipeline {
    agent none
    stages {
        stage('Memory') {
            parallel {
                // Program to run under valgrind
                stage('memory-memcheck') {
                    agent any
                    options { timeout(time: 60, unit: 'MINUTES') }
                    steps {
                        sh '''
                            python3 -m venv .leakgate
                            .leakgate/bin/pip install leakgate # needs the first release
                            echo 'Replace this with the build of the program, with -g and at most -O1.'
                            exit 1
                            # replace this with the command that runs the tests, or with a program and its arguments
                            .leakgate/bin/leakgate run --tool memcheck --format warnings-ng=leakgate.json --format junit=leakgate.xml --format html=leakgate.html -- ./PROGRAM
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
