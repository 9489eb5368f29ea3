#include <cstring>
#include <string>

static char* copy(const char* text, std::size_t size) {
    char* block = new char[size]();
    std::strncpy(block, text, size - 1);
    return block;
}

std::size_t parse_headers(const char* request) {
    char* headers = copy(request, 2048);
    return std::strlen(headers);
}

std::size_t render_page(const char* request) {
    char* page = copy(request, 6144);
    return std::strlen(page);
}

std::size_t log_request(const char* request) {
    char* line = copy(request, 512);
    return std::strlen(line);
}

std::size_t handle(const char* request) {
    std::size_t length = parse_headers(request);
    length += render_page(request);
    return length + log_request(request);
}

int main() {
    std::size_t length = handle("GET /sessions") + handle("GET /sessions/1");
    return length == 0;
}
