// The tests of connections that this service makes, and how many at a time.
#pragma once

#include <cstddef>
#include <expected>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "common/providers/connection_tester.hpp"
#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

/// Which tests run now: one of a connection at a time, and few altogether. Pure.
class TestPlaces {
 public:
  static constexpr std::size_t places_max = 4;

  /// A place, given back when it is destroyed; within the life of the TestPlaces.
  class Place {
   public:
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)), name_(std::move(other.name_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (places_ != nullptr) places_->taken_.erase(name_);
    }

   private:
    friend class TestPlaces;
    Place(TestPlaces& places, std::string name) : places_(&places), name_(std::move(name)) {}
    TestPlaces* places_;
    std::string name_;
  };

  /// `name`: of what is tested. Problem: rate_limited, where it is being tested or all places are taken.
  [[nodiscard]] std::expected<Place, Problem> take(std::string name);

 private:
  std::set<std::string, std::less<>> taken_{};
};

class ConnectionTester : public providers::ConnectionTester {
 public:
  ConnectionTester(boost::asio::io_context& loop, http::ClientOptions client, http::Egress egress);

  [[nodiscard]] TestPlaces& places() { return places_; }

 private:
  TestPlaces places_{};
};

}  // namespace tokenrail::registry_api
