package ecm.validator;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.MetadataResource;

/**
 * Resources in, issues out, in one start of the machine.
 *
 * <p>{@code Main RESOURCES ISSUES DEFINITIONS...}: each line of RESOURCES is {key, body, profiles}, the body as text,
 * so that what isn't even JSON can be asked about; each line of ISSUES is {key, severity, id, location, message}.
 * Profiles that no definition has are left out.
 */
public final class Main {
  private static final FhirContext R4 = FhirContext.forR4Cached();
  private static final ObjectMapper JSON = new ObjectMapper();

  private Main() {}

  public static void main(String[] arguments) throws IOException {
    Given given = new Given();
    Set<String> profiles = new HashSet<>();
    for (String folder : List.of(arguments).subList(2, arguments.length)) {
      load(Path.of(folder), given, profiles);
    }
    FhirValidator validator = validator(given);
    try (Stream<String> lines = Files.lines(Path.of(arguments[0]));
        BufferedWriter issues = Files.newBufferedWriter(Path.of(arguments[1]))) {
      Stream<String> found = lines.parallel().flatMap(line -> validate(validator, line, profiles));
      found.forEachOrdered(issue -> write(issues, issue));
    }
  }

  private static FhirValidator validator(Given given) {
    UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(R4);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(R4),
            given,
            new InMemoryTerminologyServerValidationSupport(R4),
            new CommonCodeSystemsTerminologyService(R4),
            new SnapshotGeneratingValidationSupport(R4),
            unknown);
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setAnyExtensionsAllowed(false);
    module.setErrorForUnknownProfiles(true);
    return R4.newValidator().registerValidatorModule(module);
  }

  private static void load(Path folder, Given given, Set<String> profiles) throws IOException {
    List<Path> files;
    try (Stream<Path> found = Files.walk(folder)) {
      files = found.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      IParser parser = file.toString().endsWith(".xml") ? R4.newXmlParser() : R4.newJsonParser();
      IBaseResource definition = parser.parseResource(Files.readString(file));
      given.addResource(definition);
      profiles.add(((MetadataResource) definition).getUrl());
    }
  }

  private static Stream<String> validate(FhirValidator validator, String line, Set<String> known) {
    JsonNode asked = parse(line);
    ValidationOptions options = new ValidationOptions();
    for (JsonNode profile : asked.path("profiles")) {
      if (known.contains(profile.asText())) {
        options.addProfile(profile.asText());
      }
    }
    return validator.validateWithResult(asked.get("body").asText(), options).getMessages().stream()
        .map(message -> issue(asked.get("key"), message));
  }

  private static String issue(JsonNode key, SingleValidationMessage message) {
    ObjectNode issue = JSON.createObjectNode();
    issue.set("key", key);
    issue.put("severity", message.getSeverity().getCode());
    issue.put("id", message.getMessageId());
    issue.put("location", message.getLocationString());
    issue.put("message", message.getMessage());
    return issue.toString();
  }

  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private static void write(BufferedWriter issues, String issue) {
    try {
      issues.write(issue);
      issues.newLine();
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
