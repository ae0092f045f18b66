#include "common/http/egress.hpp"

#include <fmt/format.h>

#include "common/config/settings.hpp"

namespace tokenrail::http {

Result<Egress> egress_from(const config::Values& values) {
  const auto ranges = parse_address_ranges(values.list("egress.allow"));
  if (!ranges) return fail(ErrorKind::invalid_input, fmt::format("egress.allow: {}", ranges.error().detail));
  return Egress(*ranges);
}

}  // namespace tokenrail::http
