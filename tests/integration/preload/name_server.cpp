// Preloaded into a worker by an integration test: the name server does not answer. Never part of a program.
//
//   TOKENRAIL_TEST_STUCK_NAME   getaddrinfo() of this name takes 12 seconds, and fails
//   TOKENRAIL_TEST_DNS_PORT     what is sent to port 53 goes to this port of 127.0.0.1, which does not answer
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
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

extern "C" int connect(int fd, const sockaddr* address, socklen_t length) {
  const auto real = next<decltype(&::connect)>("connect");
  const char* const port = std::getenv("TOKENRAIL_TEST_DNS_PORT");
  if (port != nullptr && address != nullptr && address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in to{};
    std::memcpy(&to, address, sizeof to);
    if (to.sin_port == htons(53)) {
      to.sin_port = htons(static_cast<unsigned short>(std::atoi(port)));
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return real(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
  }
  return real(fd, address, length);
}
