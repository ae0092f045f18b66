// Which addresses a connection may be opened to. A base URL that an organisation sets must not reach what only this
// machine, its network or its cloud should (server-side request forgery). Pure. The rule is asked for the address
// that a socket is opened to, whatever name or notation led to it: see AddressRule in client.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "common/http/client.hpp"
#include "common/result.hpp"

namespace tokenrail::http {

enum class AddressClass : std::uint8_t {
  global,  ///< reachable by everyone on the internet
  unspecified,
  loopback,
  private_network,  ///< RFC 1918, unique local (fc00::/7), site-local
  carrier_nat,      ///< 100.64.0.0/10
  link_local,
  metadata,  ///< where clouds give credentials to their machines: 169.254.169.254, fd00:ec2::254 and the like
  multicast,
  broadcast,
  documentation,
  reserved,  ///< for protocols, benchmarks and the future
};

[[nodiscard]] std::string_view name_of(AddressClass address_class);

/// An IPv6 address that carries an IPv4 address (mapped, compatible, translated, NAT64, 6to4) has the class of that
/// one.
[[nodiscard]] AddressClass classify(const boost::asio::ip::address& address);

/// A range of addresses: "10.1.0.0/16", "fd12::/32", or one address.
class AddressRange {
 public:
  /// Errors (invalid_input): no address, a prefix that is too long, bits that are set behind the prefix.
  [[nodiscard]] static Result<AddressRange> parse(std::string_view text);

  /// An IPv4 address that is mapped into IPv6 counts as IPv4.
  [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;
  /// Whether it is one address and no range.
  [[nodiscard]] bool is_one_address() const;

 private:
  AddressRange(boost::asio::ip::address first, unsigned prefix) : first_(std::move(first)), prefix_(prefix) {}
  boost::asio::ip::address first_;
  unsigned prefix_;
};

/// All of a list, such as a setting has. Errors as AddressRange::parse().
[[nodiscard]] Result<std::vector<AddressRange>> parse_address_ranges(std::span<const std::string> texts);

/// Who set the base URL.
enum class UrlOwner : std::uint8_t { platform, organisation };

/// `allowed`: what the operator has opened beside.
///
/// - A metadata address: only where `allowed` has exactly this address. A range that contains it does not open it.
/// - platform: every other address.
/// - organisation: global addresses, and those in `allowed`.
[[nodiscard]] bool may_connect(UrlOwner owner, const boost::asio::ip::address& address,
                               std::span<const AddressRange> allowed);

/// may_connect() as the HTTP client takes it.
[[nodiscard]] AddressRule address_rule(UrlOwner owner, std::vector<AddressRange> allowed);

}  // namespace tokenrail::http
