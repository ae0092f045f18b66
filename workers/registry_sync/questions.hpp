// Which pages of a list are read, which of its models are taken, and which of them a connection is asked about. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/providers/provider.hpp"
#include "common/registry/sync_plan.hpp"

namespace tokenrail::registry_sync {

/// The pages of one list, as far as they were followed.
class PageTrail {
 public:
  explicit PageTrail(std::size_t pages_max = 1'000) : pages_max_(pages_max) {}

  /// A page was read that names `next` as the next one; empty: it is the last. True: that one is to be read. A page is
  /// read once, and no more than `pages_max` are.
  bool follow(const std::string& next);
  /// Why the pages that were read are not the whole list, for people; empty: they are.
  [[nodiscard]] const std::string& cut() const { return cut_; }

 private:
  std::size_t pages_max_;
  std::size_t read_ = 0;
  std::set<std::string> followed_{};
  std::string cut_{};
};

struct Question {
  std::string key;   ///< under which the details are remembered
  std::string name;  ///< the model's, as listed
};

struct Selection {
  std::vector<providers::ListedModel> models{};
  std::int64_t beyond = 0;  ///< new models above the bound, left out of `models`
  std::string first_beyond{};
  /// One for each model whose details are not known; those that were asked for in vain come last.
  std::vector<Question> questions{};
};

/// `known`, `in_vain`: whether the details of that key are remembered, and whether the last question failed. Models
/// that the registry holds already are always taken; new ones while there are fewer than `models_max`. Details that
/// were asked for before `stale_before_ms` are asked for again.
[[nodiscard]] Selection select_models(const registry::Connection& connection,
                                      std::vector<providers::ListedModel> listed,
                                      const std::vector<registry::StoredModel>& stored, std::size_t models_max,
                                      std::int64_t stale_before_ms,
                                      const std::function<bool(const std::string&)>& known,
                                      const std::function<bool(const std::string&)>& in_vain);

/// Under which the details of a model are remembered: they are of this model on this connection. A digest comes from
/// the provider, and some providers give the same one to all models.
[[nodiscard]] std::string memory_key(const registry::Connection& connection, const providers::ListedModel& model);

/// Counts time-outs that follow one another. Some questions run at the same time, so success in between starts again.
class Patience {
 public:
  explicit Patience(int timeouts_max) : timeouts_max_(timeouts_max) {}
  void answered() { timeouts_ = 0; }
  void timed_out() { ++timeouts_; }
  /// Nothing more is asked in this run.
  [[nodiscard]] bool exhausted() const { return timeouts_ >= timeouts_max_; }

 private:
  int timeouts_max_;
  int timeouts_ = 0;
};

}  // namespace tokenrail::registry_sync
