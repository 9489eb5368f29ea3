/* The tests of a library in C, with the canary. -DNO_CANARY leaves it out. */
#include "leakgate_canary.h"

int main(void) {
#ifndef NO_CANARY
    leakgate_canary();
#endif
    return 0;
}
