package ecm.validator;

import ca.uhn.fhir.context.FhirContext;
import java.util.HashMap;
import java.util.Map;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Questionnaire;

/** The definitions that were given; Questionnaires too, which HAPI's own support takes and never hands out. */
final class Given extends PrePopulatedValidationSupport {
  private final Map<String, Questionnaire> questionnaires = new HashMap<>();

  Given() {
    super(FhirContext.forR4Cached());
  }

  @Override
  public void addResource(IBaseResource resource) {
    if (resource instanceof Questionnaire form) {
      questionnaires.put(form.getUrl(), form);
    } else {
      super.addResource(resource);
    }
  }

  @Override
  public <T extends IBaseResource> T fetchResource(Class<T> type, String url) {
    if (type == Questionnaire.class && url != null) {
      return type.cast(questionnaires.get(url.split("\\|")[0]));
    }
    return super.fetchResource(type, url);
  }
}
