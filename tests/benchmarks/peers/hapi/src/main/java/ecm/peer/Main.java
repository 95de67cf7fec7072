package ecm.peer;

import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.broker.api.IBrokerClient;
import ca.uhn.fhir.broker.impl.LinkedBlockingBrokerClient;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirPostgresDialect;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.impl.LinkedBlockingChannelFactory;
import ca.uhn.fhir.jpa.subscription.channel.impl.RetryPolicyProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.EntityManagerFactory;
import java.util.Properties;
import javax.sql.DataSource;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;

/** HAPI FHIR JPA R4 on Jetty: `Main JDBC_URL USER`, the password in HAPI_PASSWORD. Prints its port once it serves. */
public final class Main {
  private static final int CONNECTIONS = 16;
  private static final int PAGE = 20;
  private static final int LARGEST_PAGE = 200;

  /** What HAPI's own configurations leave to the application; settings as they come. */
  @Configuration
  @Import({
    JpaR4Config.class, HapiJpaConfig.class, JpaBatch2Config.class, Batch2JobsConfig.class, ThreadPoolFactoryConfig.class
  })
  public static class Settings {
    @Bean
    public JpaStorageSettings storageSettings() {
      return new JpaStorageSettings();
    }

    @Bean
    public PartitionSettings partitionSettings() {
      return new PartitionSettings();
    }

    @Bean
    public SubscriptionSettings subscriptionSettings() {
      return new SubscriptionSettings();
    }

    @Bean
    public LinkedBlockingChannelFactory channelFactory() {
      return new LinkedBlockingChannelFactory((name, settings) -> name, new RetryPolicyProvider());
    }

    @Bean
    public IBrokerClient brokerClient(LinkedBlockingChannelFactory channels) {
      LinkedBlockingBrokerClient made = new LinkedBlockingBrokerClient(channels.getChannelNamer());
      made.setLinkedBlockingChannelFactory(channels);
      return made;
    }

    @Bean(destroyMethod = "close")
    public DataSource dataSource() {
      HikariConfig pool = new HikariConfig();
      pool.setJdbcUrl(System.getProperty("peer.url"));
      pool.setUsername(System.getProperty("peer.user"));
      pool.setPassword(System.getenv("HAPI_PASSWORD"));
      pool.setMaximumPoolSize(CONNECTIONS * 2);
      return new HikariDataSource(pool);
    }

    @Bean
    public LocalContainerEntityManagerFactoryBean entityManagerFactory(
        ConfigurableListableBeanFactory beans, FhirContext context, JpaStorageSettings storage, DataSource source) {
      LocalContainerEntityManagerFactoryBean made =
          HapiEntityManagerFactoryUtil.newEntityManagerFactory(beans, context, storage);
      Properties properties = new Properties();
      properties.put("hibernate.dialect", HapiFhirPostgresDialect.class.getName());
      properties.put("hibernate.hbm2ddl.auto", "update");
      properties.put("hibernate.jdbc.batch_size", "20");
      properties.put("hibernate.cache.use_query_cache", "false");
      properties.put("hibernate.cache.use_second_level_cache", "false");
      properties.put("hibernate.search.enabled", "false");
      made.setPersistenceUnitName("HAPI_PU");
      made.setDataSource(source);
      made.setJpaProperties(properties);
      return made;
    }

    @Bean
    @Primary
    public JpaTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }
  }

  public static void main(String[] arguments) throws Exception {
    System.setProperty("peer.url", arguments[0]);
    System.setProperty("peer.user", arguments[1]);
    AnnotationConfigApplicationContext beans = new AnnotationConfigApplicationContext(Settings.class);
    RestfulServer fhir = new RestfulServer(beans.getBean(FhirContext.class));
    fhir.registerProviders(beans.getBean("myResourceProvidersR4", ResourceProviderFactory.class).createProviders());
    fhir.registerProvider(beans.getBean(JpaSystemProvider.class));
    DatabaseBackedPagingProvider pages = beans.getBean(DatabaseBackedPagingProvider.class);
    pages.setDefaultPageSize(PAGE);
    pages.setMaximumPageSize(LARGEST_PAGE);
    fhir.setPagingProvider(pages);
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    ServletContextHandler servlets = new ServletContextHandler("/");
    servlets.addServlet(new ServletHolder(fhir), "/fhir/*");
    server.setHandler(servlets);
    server.start();
    System.out.println("{\"port\": " + connector.getLocalPort() + "}");
    System.in.read();
    server.stop();
    beans.close();
    System.exit(0);
  }

  private Main() {}
}
