/* Serves as many requests as the first argument says, and has memory that grows, that warms up,
 * and that stays the same. */
#include <stdio.h>
#include <stdlib.h>

struct request {
    struct request *previous;
    int id;
};

/* Grows: each request stays reachable. */
static struct request *requests;

static void handle(int id)
{
    struct request *request = malloc(sizeof *request);
    request->previous = requests;
    request->id = id;
    requests = request;
}

/* Warms up: the cache has at most 150 pages. */
static char *pages[150];

static void look_up(int id)
{
    char **page = &pages[id % 150];
    if (!*page)
        *page = malloc(64);
    snprintf(*page, 64, "page %d", id);
}

/* Stays the same. */
static char *settings;

static void start(void)
{
    settings = malloc(1024);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0;
    start();
    for (int id = 0; id < count; id++) {
        handle(id);
        look_up(id);
    }
    return 0;
}
