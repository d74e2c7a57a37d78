#include "thalweg/flow/flow.hpp"

#include "thalweg/core/phi.hpp"

namespace thalweg {

void Flow::phi_stiff(int k, double, Out x) const {
  require(!stiff(),
          "the stiff part of this flow has no exponential; take a scheme that solves with it, such as arkimex3");
  x *= phi(k, 0);
}

}  // namespace thalweg
