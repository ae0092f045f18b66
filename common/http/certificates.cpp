#include "common/http/certificates.hpp"

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "common/config/settings.hpp"

namespace tokenrail::http {

Certificates certificates_from(const config::Values& values) {
  return {.ca_file = values.text("providers.ca_file"),
          .client_certificate = values.text("providers.client_certificate"),
          .client_key = values.text("providers.client_key")};
}

Result<void> check(const Certificates& certificates) {
  if (certificates.client_certificate.empty() != certificates.client_key.empty()) {
    return fail(ErrorKind::invalid_input,
                "providers.client_certificate and providers.client_key belong together: set both or none");
  }
  const std::array<std::pair<const char*, const std::string*>, 3> files{
      {{"providers.ca_file", &certificates.ca_file},
       {"providers.client_certificate", &certificates.client_certificate},
       {"providers.client_key", &certificates.client_key}}};
  for (const auto& [setting, path] : files) {
    if (path->empty()) continue;
    std::ifstream file(*path);
    std::string text;
    bool pem = false;
    while (file && !pem && std::getline(file, text)) pem = text.starts_with("-----BEGIN ");
    if (pem) continue;
    const auto why = file.is_open() ? std::string("it is no PEM file; it needs a line that begins with -----BEGIN")
                                    : std::generic_category().message(errno);
    return fail(ErrorKind::invalid_input, fmt::format("{} is {}: {}", setting, *path, why));
  }
  return {};
}

}  // namespace tokenrail::http
