#include <cstdio>
#include <map>
#include <string>

struct Session {
    std::string user;
    char* token;
};

static std::map<int, Session*> sessions;

Session* open_session(int id, const char* user) {
    char* token = new char[32]();
    sessions[id] = new Session{user, token};
    return sessions[id];
}

void close_session(int id) {
    delete sessions[id];
    sessions.erase(id);
}

int main() {
    Session* session = open_session(1, "ada");
    close_session(1);
    std::printf("closed the session of %s\n", session->user.c_str());
}
