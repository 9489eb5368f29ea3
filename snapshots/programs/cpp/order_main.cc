// Reads a global of another file before that file has set it up.
extern int later;
int early = later + 1;

int main() { return early & 0; }
