// The program and a library of its own both define this, with different sizes.
#ifdef LIBRARY
int limits[8] = {1};
int library() { return limits[0]; }
#else
int limits[4] = {2};
int library();
int main() { return (limits[0] + library()) & 0; }
#endif
