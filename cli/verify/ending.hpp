// What can be judged only when everything has been read: what was reported as lost, and the commit.
#pragma once

#include <vector>

#include "cli/verify/known.hpp"

namespace tokenrail::verify {

class Ending : Rules {
 public:
  explicit Ending(Known& known) : Rules(known) {}

  /// `left`: the requests that are remembered, each judged, in their order.
  void judge(const std::vector<const Subject*>& left, bool at_rest);

 private:
  void judge_losses();
  void judge_unanswerable(bool at_rest);
  void judge_commit(const std::vector<const Subject*>& left);
  void judge_ends();
  void judge_progress(const std::vector<const Subject*>& left);
};

}  // namespace tokenrail::verify
