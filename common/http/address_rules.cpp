#include "common/http/address_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace tokenrail::http {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

constexpr std::array<std::string_view, 11> class_names{"global",      "unspecified",   "loopback", "private network",
                                                       "carrier NAT", "link-local",    "metadata", "multicast",
                                                       "broadcast",   "documentation", "reserved"};

struct Row4 {
  std::uint32_t first;
  unsigned prefix;
  AddressClass address_class;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

// The first row that fits counts. IANA's registry of special-purpose addresses, and the clouds' metadata services.
constexpr std::array rows4{
    Row4{v4(169, 254, 169, 254), 32, AddressClass::metadata},  // AWS, Azure, Google, OpenStack, Oracle, DigitalOcean
    Row4{v4(169, 254, 170, 2), 32, AddressClass::metadata},    // AWS ECS
    Row4{v4(169, 254, 170, 23), 32, AddressClass::metadata},   // AWS EKS
    Row4{v4(168, 63, 129, 16), 32, AddressClass::metadata},    // Azure's host
    Row4{v4(100, 100, 100, 200), 32, AddressClass::metadata},  // Alibaba
    Row4{v4(192, 0, 0, 192), 32, AddressClass::metadata},      // Oracle, formerly
    Row4{v4(0, 0, 0, 0), 8, AddressClass::unspecified},
    Row4{v4(10, 0, 0, 0), 8, AddressClass::private_network},
    Row4{v4(100, 64, 0, 0), 10, AddressClass::carrier_nat},
    Row4{v4(127, 0, 0, 0), 8, AddressClass::loopback},
    Row4{v4(169, 254, 0, 0), 16, AddressClass::link_local},
    Row4{v4(172, 16, 0, 0), 12, AddressClass::private_network},
    Row4{v4(192, 0, 0, 0), 24, AddressClass::reserved},
    Row4{v4(192, 0, 2, 0), 24, AddressClass::documentation},
    Row4{v4(192, 88, 99, 0), 24, AddressClass::reserved},
    Row4{v4(192, 168, 0, 0), 16, AddressClass::private_network},
    Row4{v4(198, 18, 0, 0), 15, AddressClass::reserved},
    Row4{v4(198, 51, 100, 0), 24, AddressClass::documentation},
    Row4{v4(203, 0, 113, 0), 24, AddressClass::documentation},
    Row4{v4(224, 0, 0, 0), 4, AddressClass::multicast},
    Row4{v4(255, 255, 255, 255), 32, AddressClass::broadcast},
    Row4{v4(240, 0, 0, 0), 4, AddressClass::reserved},
};

using Bytes6 = address_v6::bytes_type;

struct Row6 {
  std::array<std::uint16_t, 8> first;
  unsigned prefix;
  AddressClass address_class;
};

constexpr std::array rows6{
    Row6{{0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254}, 128, AddressClass::metadata},  // AWS
    Row6{{0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254}, 128, AddressClass::metadata},  // Google
    Row6{{0, 0, 0, 0, 0, 0, 0, 0}, 128, AddressClass::unspecified},
    Row6{{0, 0, 0, 0, 0, 0, 0, 1}, 128, AddressClass::loopback},
    Row6{{0x0064, 0xff9b, 0x0001, 0, 0, 0, 0, 0}, 48, AddressClass::private_network},  // NAT64 of a network's own
    Row6{{0x2001, 0x0db8, 0, 0, 0, 0, 0, 0}, 32, AddressClass::documentation},
    Row6{{0x3fff, 0, 0, 0, 0, 0, 0, 0}, 20, AddressClass::documentation},
    Row6{{0x2001, 0, 0, 0, 0, 0, 0, 0}, 23, AddressClass::reserved},  // Teredo and other protocols
    Row6{{0xfc00, 0, 0, 0, 0, 0, 0, 0}, 7, AddressClass::private_network},
    Row6{{0xfe80, 0, 0, 0, 0, 0, 0, 0}, 10, AddressClass::link_local},
    Row6{{0xfec0, 0, 0, 0, 0, 0, 0, 0}, 10, AddressClass::private_network},
    Row6{{0xff00, 0, 0, 0, 0, 0, 0, 0}, 8, AddressClass::multicast},
    Row6{{0x2000, 0, 0, 0, 0, 0, 0, 0}, 3, AddressClass::global},
    Row6{{0, 0, 0, 0, 0, 0, 0, 0}, 0, AddressClass::reserved},  // only 2000::/3 has been given out
};

template <class Bytes>
bool same_prefix(const Bytes& a, const Bytes& b, unsigned prefix) {
  for (std::size_t i = 0; prefix > 0; ++i) {
    const unsigned bits = std::min(prefix, 8U);
    const auto mask = static_cast<unsigned>(0xff00U >> bits) & 0xffU;
    if ((a.at(i) & mask) != (b.at(i) & mask)) return false;
    prefix -= bits;
  }
  return true;
}

Bytes6 bytes_of(const std::array<std::uint16_t, 8>& words) {
  Bytes6 bytes{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    bytes.at(2 * i) = static_cast<unsigned char>(words.at(i) >> 8U);
    bytes.at(2 * i + 1) = static_cast<unsigned char>(words.at(i) & 0xffU);
  }
  return bytes;
}

/// Prefixes behind which an IPv4 address is carried, and where in the address it begins.
struct Carrier {
  std::array<std::uint16_t, 8> first;
  unsigned prefix;
  std::size_t at;
};
constexpr std::array carriers{
    Carrier{{0, 0, 0, 0, 0, 0xffff, 0, 0}, 96, 12},       // mapped
    Carrier{{0, 0, 0, 0, 0xffff, 0, 0, 0}, 96, 12},       // translated (RFC 2765)
    Carrier{{0x0064, 0xff9b, 0, 0, 0, 0, 0, 0}, 96, 12},  // NAT64
    Carrier{{0x2002, 0, 0, 0, 0, 0, 0, 0}, 16, 2},        // 6to4
    Carrier{{0, 0, 0, 0, 0, 0, 0, 0}, 96, 12},            // compatible; :: and ::1 are none
};

std::optional<address_v4> carried(const Bytes6& bytes) {
  for (const auto& carrier : carriers) {
    if (!same_prefix(bytes, bytes_of(carrier.first), carrier.prefix)) continue;
    address_v4::bytes_type inner{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(carrier.at), inner.size(), inner.begin());
    const address_v4 found(inner);
    const bool is_none =
        carrier.prefix == 96 && carrier.first == std::array<std::uint16_t, 8>{} && found.to_uint() <= 1;
    return is_none ? std::nullopt : std::optional(found);
  }
  return std::nullopt;
}

AddressClass classify4(const address_v4& address) {
  for (const auto& row : rows4)
    if (same_prefix(address.to_bytes(), address_v4(row.first).to_bytes(), row.prefix)) return row.address_class;
  return AddressClass::global;
}

AddressClass classify6(const address_v6& address) {
  const auto bytes = address.to_bytes();
  if (const auto inner = carried(bytes)) return classify4(*inner);
  for (const auto& row : rows6)
    if (same_prefix(bytes, bytes_of(row.first), row.prefix)) return row.address_class;
  return AddressClass::reserved;
}

/// What the kernel makes of it: a mapped address is an IPv4 connection.
address unmapped(const address& any) {
  if (!any.is_v6() || !any.to_v6().is_v4_mapped()) return any;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, any.to_v6());
}

bool has_prefix(const address& any, const address& first, unsigned prefix) {
  if (any.is_v4() != first.is_v4()) return false;
  return any.is_v4() ? same_prefix(any.to_v4().to_bytes(), first.to_v4().to_bytes(), prefix)
                     : same_prefix(any.to_v6().to_bytes(), first.to_v6().to_bytes(), prefix);
}

template <class Bytes>
bool ends_with_prefix(const Bytes& bytes, unsigned prefix) {
  auto rest = bytes;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const unsigned bits = std::min(prefix, 8U);
    rest.at(i) = static_cast<unsigned char>(rest.at(i) & (0xffU >> bits));
    prefix -= bits;
  }
  return rest == Bytes{};
}

}  // namespace

std::string_view name_of(AddressClass address_class) {
  return class_names.at(static_cast<std::size_t>(address_class));
}

AddressClass classify(const address& any) {
  return any.is_v4() ? classify4(any.to_v4()) : classify6(any.to_v6());
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorKind::invalid_input,
                fmt::format("'{}' {}; write an address such as 10.1.2.3, or a range such as 10.1.0.0/16", text, why));
  };
  const auto slash = text.find('/');
  boost::system::error_code error;
  const auto first = boost::asio::ip::make_address(std::string(text.substr(0, slash)), error);
  if (error || text.contains('%')) return wrong("is no range of IP addresses");
  if (first.is_v6() && first.to_v6().is_v4_mapped()) return wrong("is an IPv4 address in IPv6 notation");
  const unsigned prefix_max = first.is_v4() ? 32 : 128;
  unsigned prefix = prefix_max;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (failed != std::errc{} || end != digits.data() + digits.size() || prefix > prefix_max)
      return wrong("has no prefix that fits");
  }
  const bool ends = first.is_v4() ? ends_with_prefix(first.to_v4().to_bytes(), prefix)
                                  : ends_with_prefix(first.to_v6().to_bytes(), prefix);
  if (!ends) return wrong("has bits that are set behind its prefix");
  return AddressRange(first, prefix);
}

bool AddressRange::contains(const address& any) const {
  return has_prefix(unmapped(any), first_, prefix_);
}

bool AddressRange::is_one_address() const {
  return prefix_ == (first_.is_v4() ? 32U : 128U);
}

Result<std::vector<AddressRange>> parse_address_ranges(std::span<const std::string> texts) {
  std::vector<AddressRange> ranges;
  for (const auto& text : texts) {
    auto range = AddressRange::parse(text);
    if (!range) return std::unexpected(std::move(range.error()));
    ranges.push_back(std::move(*range));
  }
  return ranges;
}

bool may_connect(UrlOwner owner, const address& any, std::span<const AddressRange> allowed) {
  const auto address_class = classify(any);
  const bool metadata = address_class == AddressClass::metadata;
  if (std::ranges::any_of(allowed, [&](const AddressRange& range) {
        return range.contains(any) && (!metadata || range.is_one_address());
      }))
    return true;
  if (metadata) return false;
  return owner == UrlOwner::platform || address_class == AddressClass::global;
}

AddressRule address_rule(UrlOwner owner, std::vector<AddressRange> allowed) {
  return [owner, allowed = std::move(allowed)](const address& any) { return may_connect(owner, any, allowed); };
}

}  // namespace tokenrail::http
