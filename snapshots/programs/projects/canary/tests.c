/* The tests of a library, with the canary. */
#ifndef NO_CANARY
#include "leakgate_canary.h"
#endif

int main(void) {
#ifndef NO_CANARY
    leakgate_canary();
#endif
    return 0;
}
