#include "thalweg/integrate/sharpness.hpp"

#include "thalweg/core/lanczos.hpp"
#include "thalweg/core/random.hpp"

namespace thalweg {

Part felt_part(Part implicit) {
  switch (implicit) {
    case Part::none:
    case Part::all:
      return Part::all;
    case Part::stiff:
      return Part::slow;
    case Part::slow:
      return Part::stiff;
  }
  return Part::all;
}

Sharpness sharpness(const Flow& flow, Part part, const Instant& at, In y, double tolerance, std::uint64_t seed,
                    Index most) {
  require(flow.self_adjoint(), "sharpness: the Jacobian of this flow is not self-adjoint in its metric");
  Stream draw(seed, Purpose::sharpness, static_cast<std::uint64_t>(at.step));
  const Vector start = Vector::NullaryExpr(flow.size(), [&](Index) { return draw.normal(); });
  const Operator minus_jacobian = [&](In w, Out jw) {
    flow.jvp(part, at, y, w, jw);
    jw *= -1;
  };
  const Operator metric = [&](In x, Out mx) {
    mx = x;
    flow.lower(mx);
  };
  Lanczos space(start, flow.symmetric() ? Operator{} : metric);
  Sharpness result{0, 0, 0};
  while (space.steps() < most && space.extend(minus_jacobian)) {
    const RitzPairs pairs = space.ritz();
    result = {pairs.values.tail<1>()[0], pairs.residuals.tail<1>()[0], space.steps()};
    if (result.error <= tolerance * result.value) break;
  }
  return result;
}

}  // namespace thalweg
