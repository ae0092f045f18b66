// Preloaded into a worker by an integration test: getaddrinfo() of the name in TOKENRAIL_TEST_STUCK_NAME takes 12
// seconds, fails, and says so on standard error. Never part of a program.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

namespace {

constexpr unsigned stuck_seconds = 12;

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool is_stuck(const char* name) {
  const char* const stuck = std::getenv("TOKENRAIL_TEST_STUCK_NAME");
  return name != nullptr && stuck != nullptr && std::strcmp(name, stuck) == 0;
}

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  if (is_stuck(name)) {
    std::fputs("getaddrinfo was called for the stuck name\n", stderr);
    // Not a single sleep(), which a signal would cut short.
    for (unsigned left = stuck_seconds; left > 0;) left = ::sleep(left);
    return EAI_AGAIN;
  }
  return next<decltype(&::getaddrinfo)>("getaddrinfo")(name, service, hints, found);
}
