// Loads a plugin, lets it leak and unloads it: its frames have no name any more.
#include <dlfcn.h>

int main(void) {
    void *plugin = dlopen("./plugin.so", RTLD_NOW);
    void (*lose)(void) = (void (*)(void))dlsym(plugin, "lose_in_plugin");
    lose();
    dlclose(plugin);
    return 0;
}
