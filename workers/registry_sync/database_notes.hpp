// How each part of the work gets on with the database, for /readyz and the log. One thread: the loop's.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include "common/result.hpp"

namespace tokenrail::registry_sync {

class DatabaseNotes {
 public:
  /// `fenced`: a call was refused because another process holds the lease.
  explicit DatabaseNotes(std::function<void()> fenced) : fenced_(std::move(fenced)) {}

  /// Empty: the part gets on well. A problem is logged once.
  void note(const std::string& part, const std::string& problem);
  /// Notes how a call ended. True: well.
  template <class T>
  bool noted(const char* part, const Result<T>& result) {
    note(part, result ? std::string() : result.error().detail);
    if (!result && result.error().kind == ErrorKind::rejected) fenced_();
    return result.has_value();
  }
  void forget(std::initializer_list<const char*> parts);
  /// The first one; empty: none.
  [[nodiscard]] std::string problem() const;

 private:
  std::function<void()> fenced_;
  std::map<std::string, std::string> problems_{{"leadership", "not connected yet"}};  // by part
};

}  // namespace tokenrail::registry_sync
