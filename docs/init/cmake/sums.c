#include <stdlib.h>

/* Adds two numbers on the heap. */
int main(void) {
    int *numbers = calloc(2, sizeof *numbers);
    if (numbers == NULL) return 1;
    int sum = numbers[0] + numbers[1];
    free(numbers);
    return sum;
}
