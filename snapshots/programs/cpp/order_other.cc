// Set up at run time, after the globals of the file that reads it.
static int compute() { return 41; }
int later = compute();
